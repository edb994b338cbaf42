create index on t (a, b, c, d);
create index on t (a, b, c);
create index on t (a) include (b, c, d);
create unique index on t (a, b, c, d);
-- expect: index-with-many-columns 1

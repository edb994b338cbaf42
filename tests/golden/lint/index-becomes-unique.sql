drop index concurrently if exists i;
create unique index concurrently i on t (a);
create unique index concurrently j on t (a);
-- expect: index-becomes-unique 2

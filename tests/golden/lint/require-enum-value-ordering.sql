alter type e add value 'x';
alter type e add value if not exists 'x';
alter type e add value 'x' before 'y';
alter type e add value 'x' after 'y';
alter type e rename value 'x' to 'z';
-- expect: require-enum-value-ordering 1
-- expect: require-enum-value-ordering 2

alter type e rename value 'a' to 'b';
alter type e add value 'c';
-- expect: renaming-enum-value 1

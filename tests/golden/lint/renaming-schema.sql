alter schema a rename to b;
alter schema a owner to b;
-- expect: renaming-schema 1

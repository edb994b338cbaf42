select to_regclass('pgc.init') is not null;

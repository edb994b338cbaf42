insert into t values ('cafÃ©');
insert into t values ('café');
-- expect: file-encoding 2

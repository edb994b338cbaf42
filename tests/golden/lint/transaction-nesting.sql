begin;
begin;
savepoint s;
rollback to s;
commit;
rollback;
start transaction;
end;
-- expect: transaction-nesting 2
-- expect: transaction-nesting 6

do $$
declare x int := 1; c cursor for select 1;
begin
  if not exists (select 1 from t where case when a then b end) then
    create table n (a int);
  elsif x then drop table y;
  end if;
  for r in select * from t loop update t set a = 1; end loop;
  case x when 1 then drop table z1; else drop table z2; end case;
  execute 'drop table ''q''; drop table dd';
  execute 'drop ' || 'table x';
  execute format('drop table %I', 'x');
  -- pgc:nolint ban-drop-table it is empty
  drop table silent;
  insert into a values (1) returning id into strict x, y.z;
  set := 1;
  perform set_config('lock_timeout', '1s', false);
  create index on t (a);
exception when others then drop table e; raise;
end $$;
do 'begin drop table s1; execute ''drop table s2; execute ''''x''''''; drop table s3; end';
create function f() returns int language plpgsql as $f$ begin drop tabel x; end $f$;
create function g() returns int language plpgsql as $f$
begin
  drop table t;
  x = 1;
end $f$;
create function h() returns int language sql as 'drop table x; selec ''1''';
create function i() returns int language sql begin atomic select 1; end;
do $$ begin if x the drop table x; end $$;

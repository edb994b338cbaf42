-- How far a standby is behind. lag_bytes: received (or announced by the primary) but not replayed. lag_ms: age of
-- the last replayed transaction, 0 when everything received is replayed while streaming: an idle standby is not late; null
-- when behind and nothing was replayed since the start.
-- latest_end_lsn is null without pg_read_all_stats; greatest() then leaves it out.
with w as (
  select s.pid, s.latest_end_lsn from pg_catalog.pg_stat_get_wal_receiver() s where s.pid is not null
), p as (
  select greatest(pg_catalog.pg_last_wal_receive_lsn(), (select latest_end_lsn from w)) as seen,
         pg_catalog.pg_last_wal_replay_lsn() as replayed,
         pg_catalog.pg_last_xact_replay_timestamp() as at
)
select exists (select 1 from w) as streaming,
       greatest(pg_catalog.pg_wal_lsn_diff(seen, replayed), 0)::bigint as lag_bytes,
       case when replayed >= seen and exists (select 1 from w) then 0
            when at is not null then
              greatest(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - at) * 1000, 0)::bigint
       end as lag_ms
from p

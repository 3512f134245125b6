-- Who holds an advisory lock, in words: those who have it, and where these wait themselves, who is at the end of that
-- chain; a prepared transaction, which has no process; and who waited for it earlier. And the statements that end those
-- whom everybody waits for.
create or replace function arcano.lock_holder(p_key bigint, p_since timestamptz, out holders text, out mend text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_waiters text;
begin
  with recursive lock as materialized (
    select l.pid, l.granted, l.waitstart, l.virtualtransaction
      from pg_locks l
     where l.locktype = 'advisory' and l.objsubid = 1
       and l.classid = (p_key >> 32 & 4294967295)::oid and l.objid = (p_key & 4294967295)::oid
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
  ), chain (first, pid) as (
    select l.pid, l.pid from lock l where l.granted and l.pid is not null
     union
    select c.first, b.pid from chain c cross join lateral unnest(pg_blocking_pids(c.pid)) b (pid) where c.pid <> 0
  ), named as (
    select c.first, c.pid, case c.pid when 0 then 'a prepared transaction' else 'pid ' || c.pid end as name
      from chain c
     where c.pid = 0 or cardinality(pg_blocking_pids(c.pid)) = 0
  ), held as (
    select format('pid %s', l.pid) || coalesce((
             select ', which waits for ' || string_agg(n.name, ' and ' order by n.pid)
               from named n where n.first = l.pid and n.pid <> l.pid), '') as holder,
           (select string_agg(format('select pg_terminate_backend(%s);', n.pid), ' ' order by n.pid)
              from named n where n.first = l.pid and n.pid <> 0) as mend
      from lock l
     where l.granted and l.pid is not null
     union all
    select format('the prepared transaction %L', x.gid), format('rollback prepared %L;', x.gid)
      from lock l
      join pg_locks t on t.virtualtransaction = l.virtualtransaction and t.locktype = 'transactionid' and t.pid is null
      join pg_prepared_xacts x on x.transaction = t.transactionid
     where l.granted and l.pid is null
  )
  select string_agg(h.holder, ' and '), string_agg(distinct h.mend, ' '),
         (select string_agg('pid ' || l.pid, ', ' order by l.waitstart) from lock l where not l.granted and l.waitstart < p_since)
    into holders, mend, v_waiters
    from held h;
  holders := coalesce(holders, 'somebody who has let it go by now')
    || coalesce('; ' || v_waiters || ' waited before this call', '');
  mend := coalesce(mend || ' -- as its own login, or as a role with pg_signal_backend', 'arcano-db doctor');
exception
  when insufficient_privilege then
    holders := format('somebody whom %I may not see', current_user);
    mend := format('grant pg_monitor to %I; -- and this says who it is', current_user);
end
$$;

comment on function arcano.lock_holder(bigint, timestamptz) is
  'Internal: who holds the advisory lock p_key, and waited for it before p_since, for an error; and what would end that.';

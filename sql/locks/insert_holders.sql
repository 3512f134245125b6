-- Who may be in the way of an insert that has waited long enough, in words. PostgreSQL does not say afterwards what it
-- waited for: it is somebody who has locked rows of the table, or of one that it refers to, or the table itself, and whose
-- transaction is as old. And the statements that end those.
create or replace function arcano.insert_holders(p_table regclass, p_since timestamptz, out holders text, out mend text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  with held as (
    select distinct coalesce('pid ' || l.pid, format('the prepared transaction %L', x.gid)) as holder,
           case when l.pid is null then format('rollback prepared %L;', x.gid) else format('select pg_terminate_backend(%s);', l.pid) end as mend
      from pg_locks l
      left join pg_locks t on t.virtualtransaction = l.virtualtransaction and t.locktype = 'transactionid' and t.pid is null
      left join pg_prepared_xacts x on x.transaction = t.transactionid
      left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.granted
       and l.pid is distinct from pg_backend_pid()
       and (a.xact_start > p_since) is not true -- null: who migrated may not see it
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
       -- What the row is written to and refers to; and what the call reads on its way, the tables of all jobs and the
       -- package's own, of which nothing but this one lock keeps it.
       and case
             when l.mode = 'AccessShareLock' then false
             when l.relation in (p_table, 'arcano.request'::regclass) then true
             when l.relation in (select c.confrelid from pg_constraint c where c.conrelid = p_table and c.contype = 'f') then true
             when l.mode = 'AccessExclusiveLock' then
               l.relation in (select h.inhrelid from pg_inherits h where h.inhparent = 'arcano.job'::regclass)
               or l.relation in (select c.oid from pg_class c where c.relnamespace = 'arcano'::regnamespace)
           end
  )
  select string_agg(h.holder, ' or ' order by h.holder), string_agg(h.mend, ' ' order by h.holder)
    into holders, mend
    from held h;
  holders := coalesce(holders, 'somebody who has let it go by now');
  mend := coalesce(mend || ' -- as its own login, or as a role with pg_signal_backend', 'arcano-db doctor');
exception
  when insufficient_privilege then
    holders := format('somebody whom %I may not see', current_user);
    mend := format('grant pg_monitor to %I; -- and this says who it is', current_user);
end
$$;

comment on function arcano.insert_holders(regclass, timestamptz) is
  'Internal: who has had locks of the tables that a new row of p_table needs since p_since, for an error; and what would end those.';

-- What of the server slows the job tables down or stops them: old transactions, dead rows, transaction ids, and the queue
-- of notifications.
create or replace function arcano.server_health(p_long_transaction interval)
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select case when x.age > 1500000000 then 'error' else 'warning' end, 'transaction ids',
           format('%s has not been frozen for %s transactions; autovacuum should have done it after %s', c.oid::regclass, x.age, x.limit),
           format('vacuum (freeze) %s; -- and look for what holds vacuum back', c.oid::regclass)
      from pg_class c
     cross join lateral (
       select age(c.relfrozenxid),
              coalesce((
                select o.option_value::bigint from pg_options_to_table(c.reloptions) o
                 where o.option_name = 'autovacuum_freeze_max_age'), current_setting('autovacuum_freeze_max_age')::bigint)
     ) x (age, "limit")
     where (c.relnamespace = 'arcano'::regnamespace and c.relkind = 'r'
            or c.oid in (select h.inhrelid from pg_inherits h where h.inhparent = 'arcano.job'::regclass))
       and x.age > 2 * x.limit;

  -- Ended jobs leave their entries in the partial indexes until vacuum comes, and every check reads past them.
  return query
    select 'warning', 'dead rows', format('%s has %s dead rows beside %s live ones', c.oid::regclass,
             pg_stat_get_dead_tuples(c.oid), pg_stat_get_live_tuples(c.oid)),
           format('vacuum %s; -- and let autovacuum come sooner: alter table %1$s set (autovacuum_vacuum_scale_factor = 0.01);', c.oid::regclass)
      from pg_inherits h
      join pg_class c on c.oid = h.inhrelid
     where h.inhparent = 'arcano.job'::regclass
       and pg_stat_get_dead_tuples(c.oid) > 10000 + 0.4 * pg_stat_get_live_tuples(c.oid);
  return query
    select 'warning', 'dead rows', format('%s has %s for %s open jobs', x.index, pg_size_pretty(s.bytes), o.jobs),
           format('reindex index concurrently %s;', x.index)
      from pg_inherits h
     cross join lateral (select count(*) from arcano.open_job o where o.relid = h.inhrelid) o (jobs)
     cross join lateral arcano.built_indexes(h.inhrelid) x
     cross join lateral pg_relation_size(x.index) s (bytes)
     where h.inhparent = 'arcano.job'::regclass and x.is_valid and s.bytes > 16 * 1024 * 1024 + 1000 * o.jobs;

  return query
    select 'warning', 'old transactions', o.detail, o.hint
      from (
        select format('pid %s (%s, %s) has one open since %s: vacuum leaves dead rows since then in the partial indexes',
                 a.pid, coalesce(nullif(a.application_name, ''), a.usename), a.state, a.xact_start),
               format('select pg_terminate_backend(%s); -- and set idle_in_transaction_session_timeout', a.pid)
          from pg_stat_activity a
         where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - p_long_transaction
           and (a.backend_xmin is not null or a.backend_xid is not null)
         union all
        select format('%s is prepared since %s', p.gid, p.prepared), format('rollback prepared %L;', p.gid)
          from pg_prepared_xacts p
         where p.database = current_database() and p.prepared < clock_timestamp() - p_long_transaction
      ) o (detail, hint);
  -- A session that listens keeps what was notified since its transaction began, or since it stopped reading.
  return query
    select case when u.usage > 0.5 then 'error' else 'warning' end, 'notifications',
           format('the server''s queue of notifications is %s%% full%s: %s', round(100 * u.usage::numeric),
             case when u.usage > 0.5 then ', and workers are not notified but poll' else '' end,
             coalesce(h.holder, 'who holds it cannot be seen')),
           coalesce(h.mend || ' -- and ', '') || 'let no session that listens stay in a transaction, or stop reading. When it is full, PostgreSQL commits nothing that notifies.'
      from pg_notification_queue_usage() u (usage)
      left join lateral (
        select format('pid %s (%s, database %s, %s since %s) holds it', a.pid, coalesce(nullif(a.application_name, ''), a.usename),
                 a.datname, case a.wait_event when 'ClientWrite' then 'not reading' else a.state end, s.since),
               format('select pg_terminate_backend(%s);', a.pid)
          from pg_stat_activity a
         cross join lateral (
           select coalesce(a.xact_start, case when a.wait_event = 'ClientWrite' then a.state_change end)
         ) s (since)
         where a.pid <> pg_backend_pid() and a.backend_type = 'client backend' and s.since is not null
         order by s.since
         limit 1
      ) h (holder, mend) on true
     where u.usage > 0.1;
  if not pg_has_role(current_user, 'pg_read_all_stats', 'usage') then
    return query select 'note', 'transactions of others', format('%s may not see how old they are', current_user),
      format('grant pg_read_all_stats to %I;', current_user);
  end if;
end
$$;

comment on function arcano.server_health(interval) is
  'Internal: what check_health says of transactions, dead rows, transaction ids and notifications.';

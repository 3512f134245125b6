-- Whether the settings of the server, the database or a role make every new transaction one in which no job can be
-- admitted, started or claimed: those need a snapshot for each statement, and must write. A role's own settings go before
-- a database's, and those before what is set for all; roles that can call nothing of the package are left alone.
create or replace function arcano.default_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names
as $$
begin
  return query
    with setting as (
      select s.setrole as role, s.setdatabase <> 0 as is_databases, split_part(c.entry, '=', 1) as name,
             substr(c.entry, strpos(c.entry, '=') + 1) as value
        from pg_db_role_setting s
       cross join lateral unnest(s.setconfig) c (entry)
       where s.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
    ), effective as (
      select distinct on (s.role, s.name) s.*
        from setting s
       order by s.role, s.name, s.is_databases desc
    ), found as (
      select case when e.role = 0 then 'error' else 'warning' end as level, e.name, e.value,
             case
               when e.role <> 0 then format('role %s', e.role::regrole)
               when e.is_databases then 'this database'
               else 'all roles'
             end as of_what,
             format('alter %s%s',
               case when e.role <> 0 then 'role ' || e.role::regrole when not e.is_databases then 'role all' end,
               case when e.is_databases then format(case when e.role <> 0 then ' in database %I' else 'database %I' end, current_database()) end
             ) as statement,
             '' as afterwards
        from effective e
       where e.role = 0
          or exists (
            select
              from arcano.public_objects() o
             where pg_has_role(e.role, to_regrole(nullif(o.least_role, 'owner')), 'member'))
       union all
      select 'error', p.name, p.setting, 'this server', 'alter system', ' select pg_reload_conf();'
        from pg_settings p
       where p.source in ('configuration file', 'command line', 'environment variable')
         and not exists (select from setting s where s.role = 0 and s.name = p.name)
    )
    select f.level, 'new transactions',
           format('%s of %s is %s: %s', f.name, f.of_what, f.value, w.consequence),
           format('%s set %s = %L;%s -- new sessions have it', f.statement, f.name, w.wanted, f.afterwards)
      from found f
      join (
        values
          ('default_transaction_isolation', array['serializable', 'repeatable read'], 'read committed',
            'no job is admitted, claimed or put into a slot there, because it is not seen what others commit'),
          ('default_transaction_read_only', array['on', 'true', 'yes', '1'], 'off', 'no job is made, started or ended there')
      ) w (name, wrong, wanted, consequence) on w.name = f.name and lower(f.value) = any (w.wrong)
     order by f.of_what, f.name;
end
$$;

comment on function arcano.default_health() is
  'Internal: what check_health says of the transactions that new sessions begin.';

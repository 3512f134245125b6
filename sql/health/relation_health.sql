-- What can be wrong with an attached table as a relation: its kind, its policies and triggers, and whose it is. Each may change after it was attached.
create or replace function arcano.relation_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select 'error', 'kinds', k.problem, k.mend
      from pg_inherits h
     cross join lateral arcano.relation_problem(h.inhrelid) k
     where h.inhparent = 'arcano.job'::regclass and k.problem is not null;

  return query select k.* from arcano.lock_findings(null) k;

  return query
    select 'error', 'owners', format('%s belongs to %s, and %s is not a member of that role: create_job cannot insert, and attach cannot mend',
             arcano.table_name(c.oid), c.relowner::regrole, current_user),
           format('grant %s to %I;', c.relowner::regrole, current_user)
      from pg_inherits h
      join pg_class c on c.oid = h.inhrelid
     where h.inhparent = 'arcano.job'::regclass and not pg_has_role(c.relowner, 'usage');

  return query
    select f.level, f.finding, f.detail, f.hint
      from pg_inherits h
     cross join lateral (
       select p.* from arcano.policy_findings(h.inhrelid) p union all select t.* from arcano.trigger_findings(h.inhrelid) t
     ) f
     where h.inhparent = 'arcano.job'::regclass and f.finding <> 'hidden rows'; -- through the parent, none are

  return query
    select case when arcano.is_told('trust_owner') then 'note' else 'warning' end, 'owners', w.problem,
           format('%s -- or, if %s may do all that %s may, as a superuser: alter database %I set arcano.trust_owner = on;',
             w.mend, w.owner, w.runner, current_database())
      from pg_inherits h
     cross join lateral arcano.weaker_owner(h.inhrelid) w
     where h.inhparent = 'arcano.job'::regclass and w.owner is not null;
end
$$;

comment on function arcano.relation_health() is
  'Internal: what check_health says of the kinds and owners of the attached tables.';

-- Why a table cannot be mapped, whatever it is mapped as.
create or replace function arcano.mapping_table_problems(p_mapping arcano.mapping, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = on
as $$
declare
  v_class pg_class%rowtype;
begin
  select c.* into v_class from pg_class c where c.oid = p_mapping.relid;
  if not found then
    return query select format('there is no table %s', coalesce(p_mapping.name, 'null')),
      'Name it with its schema, and quoted where it has capital letters: ''public."Render"''.';
    return;
  end if;
  return query
    select format('%s is %s', p_mapping.name, k.kind), k.mend
      from (
        values
          (v_class.relnamespace in ('arcano'::regnamespace, 'pg_catalog'::regnamespace), 'not a table of an app', 'Name a table of your own.'),
          (v_class.relispartition, 'a partition', (
            select format('Map the whole: %s', i.inhparent::regclass) from pg_inherits i where i.inhrelid = p_mapping.relid)),
          (v_class.relpersistence = 't', 'a temporary table', 'Other sessions do not see it.'),
          (v_class.relkind in ('v', 'm'), 'a view', 'Its rows cannot be locked where they lie: map the table that it reads.'),
          (v_class.relkind = 'f', 'a foreign table', 'Its rows cannot be locked: map it where it is.'),
          (v_class.relkind not in ('r', 'p', 'v', 'm', 'f'), 'no table', 'Name a table.')
      ) k (holds, kind, mend)
     where k.holds
     limit 1;
  if found then
    return;
  end if;
  if exists (select from pg_inherits i where i.inhrelid = p_mapping.relid and i.inhparent = 'arcano.job'::regclass) then
    return query select format('%s is attached: its jobs would count twice', p_mapping.name), format('arcano-db detach %s', p_mapping.name);
    return;
  end if;
  return query
    select format('%s is read through %s, or the other way round, which is %s: its jobs would count twice', p_mapping.name, r.relid::regclass, r.kind), r.mend
      from (
        select t.relid, 'mapped', format('select arcano.%I(%L);', 'unmap_job_table', m.name)
          from arcano.table_relatives(p_mapping.relid) t
          join arcano.mapping m on m.relid = t.relid
         union all
        select t.relid, 'attached', format('arcano-db detach %s', t.relid::regclass)
          from arcano.table_relatives(p_mapping.relid) t
          join pg_inherits i on i.inhrelid = t.relid and i.inhparent = 'arcano.job'::regclass
      ) r (relid, kind, mend);
  if found then
    return;
  end if;
  return query
    select format('%s lacks %s', current_user, string_agg(n.need, ', ')),
           string_agg(n.mend, '; ')
      from (
        values
          (has_schema_privilege(v_class.relnamespace, 'usage'), format('usage on schema %s', v_class.relnamespace::regnamespace),
            format('grant usage on schema %s to %I', v_class.relnamespace::regnamespace, current_user)),
          (has_table_privilege(p_mapping.relid, 'select'), format('select on %s', p_mapping.name), format('grant select on %s to %I', p_mapping.name, current_user)),
          (has_table_privilege(p_mapping.relid, 'update') or has_any_column_privilege(p_mapping.relid, 'update'), format('update on %s', p_mapping.name), format('grant update on %s to %I', p_mapping.name, current_user))
      ) n (has, need, mend)
     where not n.has
    having count(*) > 0;
  if found then
    return;
  end if;
  if row_security_active(p_mapping.relid) then
    return query select format('row level security of %s hides jobs from %I', p_mapping.name, current_user),
      case when v_class.relforcerowsecurity then format('alter table %s no force row level security; -- or as a superuser: alter role %I bypassrls;', p_mapping.name, current_user)
        else format('grant %I to %I; -- or: alter role %2$I bypassrls;', pg_get_userbyid(v_class.relowner), current_user) end;
  end if;
end
$$;

comment on function arcano.mapping_table_problems(arcano.mapping) is
  'Internal: why the table of p_mapping cannot be mapped, and what would mend it; no row: it can.';

-- Why a table cannot be attached, and what would mend each reason; no row: it can. Every reason is told at once, so that nobody
-- has to mend and try again one by one. What is given as a mend runs as it is, and says what it locks or rewrites; where it would
-- change what the app's columns mean, there is none, and the table is to be mapped.
create or replace function arcano.attach_problems(
  p_table regclass,
  out errcode text,
  out problem text,
  out mend text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class pg_class%rowtype;
  v_kind record;
  v_weaker record;
begin
  select c.* into v_class from pg_class c where c.oid = p_table;
  if not found then
    return query select '42P01', format('there is no table %s', p_table), 'select oid::regclass from pg_class where relkind = ''r''; -- one of these';
    return;
  end if;

  v_kind := arcano.relation_problem(p_table);
  if v_kind.problem is not null then
    return query select '42809', v_kind.problem, v_kind.mend;
    return;
  end if;

  if not pg_has_role(v_class.relowner, 'usage') then
    return query select '42501', format('%s belongs to %s, and %s is not a member of that role', p_table,
      pg_get_userbyid(v_class.relowner), current_user),
      format('grant %I to %I; -- as a role that may', pg_get_userbyid(v_class.relowner), current_user);
  end if;

  select w.* into v_weaker from arcano.weaker_owner(p_table) w where not arcano.is_told('trust_owner');
  if v_weaker.owner is not null then
    return query select '42501', v_weaker.problem,
      format('set arcano.trust_owner = on; -- if %s may do all that %s may; else: %s',
        v_weaker.owner, v_weaker.runner, v_weaker.mend);
  end if;

  return query select '42804', c.problem, c.mend from arcano.column_problems(p_table) c;
  return query select '42P16', n.problem, n.mend from arcano.missing_columns(p_table) n;
  return query select '42P16', k.problem, k.mend from arcano.key_problem(p_table) k;
  if v_weaker.owner is null then
    return query select '23514', s.problem, s.mend from arcano.check_problems(p_table) s;
  end if;

  -- The names of the package's indexes must be free, or be those indexes.
  return query
    select '42P07', format('the name %s is taken by something else, and is needed for an index', c.oid::regclass),
           format('alter %s %s rename to %I;',
             case c.relkind when 'i' then 'index' when 'S' then 'sequence' when 'v' then 'view'
               when 'm' then 'materialized view' when 'c' then 'type' else 'table' end,
             c.oid::regclass, arcano.derived_name(c.relname, '_renamed'))
      from arcano.job_indexes(p_table) n
      join pg_class c on c.relname = n.index_name and c.relnamespace = v_class.relnamespace
      left join pg_index i on i.indexrelid = c.oid
     where i.indrelid is distinct from p_table
       and not exists (select from arcano.strayed_tables() s where s.found = p_table and s.was = i.indrelid); -- which goes
end
$$;

comment on function arcano.attach_problems(regclass) is
  'Internal: why p_table cannot be attached: SQLSTATE, reason and what would mend it (null: nothing, without changing what the app means); no row: it can be attached.';

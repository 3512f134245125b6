-- What is to be said of a mapping before it is made: errors, for which it is refused, and warnings. The first kind of error that
-- there is, all of that kind at once: what comes later cannot be tried before.
create or replace function arcano.mapping_findings(
  p_mapping arcano.mapping,
  p_force boolean,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = on
as $$
declare
  v_problem text;
  v_is_wrong boolean := false;
begin
  return query
    select 'error', 'the table', t.detail, t.hint from arcano.mapping_table_problems(p_mapping) t;
  if found then
    return;
  end if;
  if not arcano.is_told('trust_owner') then
    return query
      select 'error', 'the owner', t.problem,
             format('set arcano.trust_owner = on; -- if %s may do all that %s may; else: %s', t.role, t.runner, t.mend)
        from arcano.mapping_trust(p_mapping.relid, p_mapping.code) t;
    if found then
      return;
    end if;
  end if;
  return query
    select 'error', c.finding, c.detail, c.hint from arcano.mapping_column_problems(p_mapping) c;
  if found then
    return;
  end if;
  return query
    select 'error', d.finding, d.detail, d.hint from arcano.mapping_date_problems(p_mapping) d;
  if found then
    return;
  end if;
  for level, finding, detail, hint in select s.* from arcano.mapping_status_findings(p_mapping) s loop
    v_is_wrong := v_is_wrong or level = 'error';
    return next;
  end loop;
  if v_is_wrong then
    return;
  end if;
  v_problem := arcano.mapping_problem(p_mapping);
  if v_problem is not null then
    return query select 'error', 'reading it', v_problem, 'An expression sees the row as t, and what is in schema pg_catalog alone: write t.column and schema.function().';
    return;
  end if;
  return query select f.* from arcano.mapping_default_findings(p_mapping) f;
  return query select f.* from arcano.mapping_id_findings(p_mapping, p_force) f;
  return query select f.* from arcano.mapping_index_findings(p_mapping, p_force) f;
  return query select f.* from arcano.mapping_sign_findings(p_mapping) f;
  return query select f.* from arcano.mapping_row_findings(p_mapping, p_force) f;
  return query
    select 'note', 'late starts', 'a worker that starts a job by its id alone may start one that was healed a moment before, while its user was told free; the sweep notes that (revived)',
           format('Start it so: update %1$s set %2$I = %3$L where %4$I = $1 and %2$I in (%5$s)', p_mapping.name, coalesce(p_mapping.columns ->> 'status', 'status'),
             w.word, coalesce(p_mapping.columns ->> 'id', 'id'), (
               select string_agg(quote_literal(s.key), ', ' order by s.key) from jsonb_each_text(p_mapping.statuses) s where arcano.is_waiting(s.value)))
      from (
        select s.key from jsonb_each_text(p_mapping.statuses) s
         where arcano.is_working(s.value)
         order by s.key = p_mapping.writes ->> 'running' desc nulls last, s.key
         limit 1
      ) w (word);
  return query
    select 'warning', 'the owner', t.problem, t.mend from arcano.mapping_trust(p_mapping.relid, p_mapping.code) t;
  return query
    select case when n.tables > 50 and not p_force then 'error' else 'warning' end, 'many mapped tables',
           format('with this one %s tables are mapped, and each is read and locked by every check', n.tables),
           'More than 50 are refused, unless p_force. One table with a tenant''s id in it, or a database for each, goes further.'
      from (select count(*) + 1 from arcano.mapping m where m.name <> p_mapping.name and m.relid <> p_mapping.relid) n (tables)
     where n.tables >= 20;
end
$$;

comment on function arcano.mapping_findings(arcano.mapping, boolean) is
  'Internal: what is wrong with p_mapping (level error: it cannot be mapped so), and what to know; p_force: without an index, and of more than 50 tables, is a warning.';

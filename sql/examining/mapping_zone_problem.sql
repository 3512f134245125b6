-- Whether an expression gives the same instant in sessions of two time zones: of rows that are made up, with a date in all that can
-- hold one, or in one column alone, and of rows that are there. Stable, so that both see the same rows.
--
-- Dynamic, because the expression is not known before.
create or replace function arcano.mapping_zone_problem(p_mapping arcano.mapping, p_expression text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
set timezone = 'UTC'
as $$
declare
  v_made jsonb[];
  v_row jsonb;
  v_tids tid[];
  v_instants jsonb[];
begin
  with columns (name, is_instant) as (
    select a.attname, arcano.base_type(a.atttypid) = 'timestamptz'::regtype
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
     where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped and t.typcategory in ('D', 'S')
       and (a.atttypmod between 0 and 22 and t.typcategory = 'S') is not true -- too short
  )
  -- Instants that are earlier and later than the dates without zone beside them: what takes the least or greatest has them all.
  select array_agg(m.made) into v_made
    from (
      select jsonb_object_agg(c.name, case when c.is_instant then i.instant else '2026-01-15 12:00:00' end)
        from columns c cross join unnest(array['2000-01-15 12:00:00+00', '2050-01-15 12:00:00+00']) i (instant)
       group by i.instant
       union all
      select jsonb_build_object(c.name, case when c.is_instant then '2026-01-15 12:00:00+00' else '2026-01-15 12:00:00' end) from columns c
    ) m (made);
  execute format('select array(select t.ctid from %s t limit 1000)', p_mapping.name) into v_tids;

  foreach v_row in array coalesce(v_made, '{}') || null::jsonb loop
    v_instants := '{}';
    for v_zone in 1..2 loop
      perform set_config('timezone', (array['UTC', 'Asia/Tokyo'])[v_zone], true);
      begin
        if v_row is null then -- last
          execute format('select array_append($2, jsonb_agg(extract(epoch from (%s)) order by t.tableoid, t.ctid)) from %s t where t.ctid = any ($1)', p_expression, p_mapping.name)
            into v_instants using v_tids, v_instants;
        else
          execute format('select array_append($2, to_jsonb(extract(epoch from (%s)))) from jsonb_populate_record(null::%s, $1) t', p_expression, p_mapping.name)
            into v_instants using v_row, v_instants;
        end if;
      exception
        when others then
          if v_row is null then
            return format('of a row that is there it gives an error: %s', sqlerrm);
          end if;
          exit; -- what was made up does not suit it
      end;
    end loop;
    if cardinality(v_instants) = 2 and v_instants[1] is distinct from v_instants[2] then
      return 'in a session with another time zone it gives another instant';
    end if;
  end loop;
  return null;
end
$$;

comment on function arcano.mapping_zone_problem(arcano.mapping, text) is
  'Internal: why the instant that p_expression gives for a row t of the table of p_mapping depends on who asks; null: it does not.';

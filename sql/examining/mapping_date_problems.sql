-- What is wrong with the dates of a mapping: what they are must not depend on the session that asks. A column is an instant, or has
-- a zone with p_time_zone; an expression has to give an instant, the same in every session.
create or replace function arcano.mapping_date_problems(p_mapping arcano.mapping, out finding text, out detail text, out hint text)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_date record;
  v_zone constant text := coalesce(p_mapping.time_zone, 'UTC');
begin
  for v_date in
    select d.name, a.attname, coalesce(arcano.base_type(a.atttypid), (arcano.mapping_probe(p_mapping, e.expression, 'timestamptz')).type) as type,
           case when a.attname is null then p_mapping.columns ->> d.name else format('t.%I', a.attname) end as text
      from unnest(array['created_at', 'started_at', 'completed_at', 'heartbeat_at']) d (name)
      left join pg_attribute a on a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped
       and a.attname = coalesce(p_mapping.columns ->> d.name, d.name)
     cross join lateral arcano.mapped_expression(p_mapping, d.name) e (expression)
     where e.expression is not null
  loop
    if v_date.attname is not null and v_date.type = 'timestamp'::regtype then
      if p_mapping.time_zone is null then
        return query select 'p_time_zone', format('%s of %s is a timestamp without time zone', v_date.name, p_mapping.name),
          'Say in which zone it is written: p_time_zone => ''UTC'', as Prisma, Drizzle and most ORMs write, or the zone of the server that writes.';
      end if;
    elsif v_date.type <> 'timestamptz'::regtype then
      return query select 'p_columns',
        format('%s is given as %s, which is of type %s: what instant that is depends on the time zone of the session that asks', v_date.name, v_date.text, format_type(v_date.type, null)),
        format('Say in which zone it is written: p_columns => %L', jsonb_build_object(v_date.name,
          format(case when v_date.type = 'timestamp'::regtype and v_date.attname is null then '(%s) at time zone %L' when v_date.attname is null then '(%s)::timestamp at time zone %L'
            else '%s::timestamp at time zone %L' end, v_date.text, v_zone)))
        || case when v_date.name = 'created_at' then '' else format('; or that there is none: p_columns => %L', jsonb_build_object(v_date.name, null)) end;
    elsif v_date.attname is null then
      return query
        select 'p_columns', format('%s is given as %s: %s', v_date.name, v_date.text, z.problem),
               format('Each date in it that has no zone needs one, such as t.created at time zone %L.', v_zone)
          from arcano.mapping_zone_problem(p_mapping, v_date.text) z (problem)
         where z.problem is not null;
    end if;
  end loop;
end
$$;

comment on function arcano.mapping_date_problems(arcano.mapping) is
  'Internal: which dates of p_mapping are another instant in a session with another time zone: argument, detail and what would mend it; no row: none.';

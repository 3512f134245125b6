-- What is wrong with the columns of a mapping. An expression is code that the package will run in every check: it is looked at with
-- the search_path with which it will run.
create or replace function arcano.mapping_column_problems(p_mapping arcano.mapping, out finding text, out detail text, out hint text)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_read constant text[] := array['id', 'user_id', 'session_id', 'status', 'task_id', 'position', 'waited_in_queue', 'user_credit_cost',
    'credits_charged', 'created_at', 'started_at', 'completed_at', 'heartbeat_at', 'error_message'];
  v_column record;
  v_contract_type text;
begin
  finding := 'p_columns';
  return query
    select finding, format('%s is no column that a rule reads', k.key), format('They are %s.', array_to_string(v_read, ', '))
      from jsonb_object_keys(p_mapping.columns) k (key)
     where k.key <> all (v_read);

  for v_column in
    select r.name, e.expression, p_mapping.columns ->> r.name as given, a.atttypid, a.attgenerated <> '' as is_generated
      from unnest(v_read) r (name)
     cross join lateral (select arcano.mapped_expression(p_mapping, r.name)) e (expression)
      left join pg_attribute a on a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped
       and a.attname = coalesce(p_mapping.columns ->> r.name, r.name)
  loop
    if v_column.expression is null or v_column.given = '?' then
      if v_column.given = '?' then
        return query select 'p_columns', format('which column is %s has to be said', v_column.name),
          'It has: ' || (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped);
      elsif v_column.name in ('id', 'user_id', 'status', 'created_at') then
        return query select 'p_columns', format('%s has no column %s', p_mapping.name, v_column.name),
          format('Name the one that is it: p_columns => ''{"%s": "%s"}''', v_column.name, coalesce(arcano.guess_column(p_mapping.relid, v_column.name), 'its name'));
      end if;
      continue;
    end if;
    v_contract_type := case when v_column.name in ('id', 'user_id', 'status', 'error_message') then 'text' else arcano.contract_type(v_column.name) end;
    return query
      select 'p_columns', format('%s cannot be read as %s (%s): %s', v_column.expression, v_column.name, v_contract_type, p.problem),
             'An expression sees the row as t, and what is in schema pg_catalog alone: write t.column and schema.function(). null: there is none.'
        from arcano.mapping_probe(p_mapping, v_column.expression, v_contract_type) p
       where p.problem is not null;
    if v_column.name in ('status', 'id', 'user_id') and v_column.atttypid is null then
      return query select 'p_columns', format('%s is an expression: it can be read, and not written', v_column.name),
        'Name a column of the table.';
    elsif v_column.name = 'status' and v_column.is_generated then
      return query select 'p_columns', 'the column of status is generated, and cannot be written', 'Name the one that it is made from.';
    end if;
  end loop;

  if p_mapping.time_zone is not null and not exists (select from pg_timezone_names z where z.name = p_mapping.time_zone) then
    return query select 'p_time_zone', format('there is no time zone %s', p_mapping.time_zone), 'Such as UTC or America/Sao_Paulo: select name from pg_timezone_names;';
  end if;
  return query select 'ids', i.detail, i.hint from arcano.ids_not_mapped(p_mapping) i;
end
$$;

comment on function arcano.mapping_column_problems(arcano.mapping) is
  'Internal: what is wrong with the columns of p_mapping: argument, detail and what would mend it; no row: nothing.';

-- What tells the rule that somebody has a job, beside its status: where nothing does, a job that waits for long is taken for a ghost;
-- and where every job has it from the start, none ever is.
create or replace function arcano.mapping_sign_findings(p_mapping arcano.mapping, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_signs constant text[] := array['task_id', 'started_at', 'heartbeat_at'];
  v_like_one text;
begin
  finding := 'signs of life';
  return query
    select 'warning', finding, format('%I, which is mapped as %s, has a value in every row: no job would ever be a ghost', a.attname, s.name),
           format('Say that there is none: p_columns => %L', jsonb_build_object(s.name, null))
      from unnest(v_signs) s (name)
      join pg_attribute a on a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped and a.attname = coalesce(p_mapping.columns ->> s.name, s.name)
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     cross join lateral (select pg_get_expr(d.adbin, d.adrelid)) v (value)
     where p_mapping.columns -> s.name is distinct from 'null'
       and (v.value !~ '^(NULL|'''')' or a.attnotnull and v.value is null);
  if exists (select from unnest(v_signs) s (name) where arcano.mapped_expression(p_mapping, s.name) is not null) then
    return;
  end if;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into v_like_one
    from pg_attribute a
   where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped and not a.attnotnull
     and a.attname ~* '(start|pick|claim|lock|lease|worker|began|begun|provider|predict|external|remote|heartbeat|ping|seen|progress|attempt)';
  return query
    select case when v_like_one is null then 'note' else 'warning' end, finding,
           'nothing but its status tells that somebody has a job: one that waits longer than orphan_after is taken for a ghost'
             || coalesce('; these columns may tell it: ' || v_like_one, ''),
           'Map what a worker or a provider writes first, such as p_columns => ''{"started_at": "pickedUpAt"}''; else p_orphan_after has to be longer than jobs ever wait.';
end
$$;

comment on function arcano.mapping_sign_findings(arcano.mapping) is
  'Internal: what is to be said of the columns of p_mapping that tell that somebody has a job.';

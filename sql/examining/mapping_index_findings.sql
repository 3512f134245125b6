-- Whether an index finds a user's open jobs, and all open ones: planned without sequential scans, and so one that is there all the
-- same has none to use. Nothing is run.
--
-- Dynamic, because the table's own columns are read.
create or replace function arcano.mapping_index_findings(
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
set enable_seqscan = off
set jit = off -- what is switched off counts as expensive, and that would start it
set enable_bitmapscan = on
set plan_cache_mode = force_generic_plan
as $$
declare
  v_plan jsonb;
  -- Of a user whom the planner does not know: with null it would know that there is none.
  v_user constant text := format('%s and %s = %s', arcano.mapped_where(p_mapping, 'open'), arcano.mapped_expression(p_mapping, 'user_id'),
    arcano.mapped_parameter(format('current_setting(''arcano.nobody'', true)::%s', arcano.contract_type('user_id')), p_mapping.user_id_type, 'user_id'));
  v_index constant text := arcano.open_jobs_index(p_mapping.name, coalesce(p_mapping.columns ->> 'user_id', 'user_id'),
    coalesce(p_mapping.columns ->> 'status', 'status'), array(select s.key from jsonb_each_text(p_mapping.statuses) s where arcano.is_open(s.value)));
begin
  execute format('explain (format json) select from %s t where %s', p_mapping.name, v_user) into v_plan;
  if v_plan::text like '%"Seq Scan"%' then
    return query select case when p_force then 'warning' else 'error' end, 'no index', format('no index finds the open jobs of a user: each check would read all of %s', p_mapping.name), v_index;
  elsif not exists (
    select
      from jsonb_path_query(v_plan, '$.**."Index Name"') u
      join pg_class c on c.relname = u #>> '{}'
      join pg_index i on i.indexrelid = c.oid
      join pg_attribute a on a.attrelid = i.indrelid and a.attname = coalesce(p_mapping.columns ->> 'status', 'status')
     where i.indpred is not null or a.attnum = any (i.indkey)
  ) then
    return query select 'warning', 'the index', format('the index of %s finds a user''s jobs, and reads those that have ended as well', p_mapping.name), v_index;
  end if;
  execute format('explain (format json) select from %s t where %s', p_mapping.name, arcano.mapped_where(p_mapping, 'open')) into v_plan;
  if v_plan::text like '%"Seq Scan"%' then
    return query select 'warning', 'the sweep', format('no index finds the open jobs: each sweep reads all of %s', p_mapping.name), v_index;
  elsif not exists (
    select
      from jsonb_path_query(v_plan, '$.**."Index Name"') u
      join pg_class c on c.relname = u #>> '{}'
      join pg_index i on i.indexrelid = c.oid
     where i.indpred is not null
  ) then
    return query select 'note', 'the sweep', format('each sweep reads a whole index of %s, or all of it: one of the open jobs alone would be small', p_mapping.name), v_index;
  end if;
end
$$;

comment on function arcano.mapping_index_findings(arcano.mapping, boolean) is
  'Internal: what is to be said of the indexes that would find jobs of the table of p_mapping; p_force: none at all is a warning.';

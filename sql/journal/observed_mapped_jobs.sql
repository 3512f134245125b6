-- What became of the jobs of mapped tables that observe mode has journaled, as observed_job has it of attached ones. What a job had
-- then is read from the entry as if that were its row, because an expression over the row may tell it. Of a table that cannot be
-- read nobody can say which jobs are gone.
--
-- Dynamic, because the table's own columns are not known before.
create or replace function arcano.observed_mapped_jobs()
returns table (event_id bigint, status text, came_alive boolean)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  m arcano.mapping;
  v_events bigint[];
  v_ids text[];
  v_statuses text[];
  v_alive boolean[];
  v_signs text;
begin
  for m in select x.* from arcano.mapping x order by x.name loop
    select array_agg(e.event_id), array_agg(distinct e.job_id::text) into v_events, v_ids
      from arcano.job_event e
     where e.event = 'observed' and arcano.is_of_table(e.relid, e.job_table, m.relid);
    continue when v_events is null;
    v_statuses := array_fill('unreadable'::text, array[cardinality(v_events)]);
    v_alive := array_fill(null::boolean, array[cardinality(v_events)]);
    begin
      if m.left_out is null then
        v_signs := format('array[%s is null, %s is null, arcano.entered_queue(%s::integer, %s::boolean)]',
          coalesce(arcano.mapped_expression(m, 'task_id'), 'null'), coalesce(arcano.mapped_expression(m, 'started_at'), 'null'),
          coalesce(arcano.mapped_expression(m, 'position'), 'null'), coalesce(arcano.mapped_expression(m, 'waited_in_queue'), 'null'));
        execute format(
          'select array_agg(e.event_id), array_agg(coalesce(o.status, (%1$s)::text)), array_agg(case when o.is_open'
          ' then not (o.is_orphan or o.is_charged_orphan or o.is_stalled)'
          ' else o.status is not distinct from ''completed'' or %2$s is distinct from b.signs end)'
          ' from arcano.job_event e join (%3$s) o on o.job_id = e.job_id join %4$s t on t.ctid = o.tid and (%5$s)::%6$s = o.job_id'
          ' cross join lateral (select %2$s from jsonb_populate_record(null::%4$s,'
          ' e.job_before - array(select jsonb_object_keys(e.job_before -> ''arcano.unlike''))) t) b (signs)'
          ' where e.event_id = any ($2) and arcano.is_about(e.created_at, o.created_at) and %7$s',
          arcano.mapped_expression(m, 'status'), v_signs, arcano.mapped_judgement(m, 'ids'), m.name,
          arcano.mapped_expression(m, 'id'), arcano.contract_type('id'), arcano.mapped_where(m, 'ids'))
          into v_events, v_statuses, v_alive using v_ids, v_events;
      end if;
    exception
      when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
        raise; -- see read_failures
      when others then null;
    end;
    return query select u.* from unnest(v_events, v_statuses, v_alive) u;
  end loop;
end
$$;

comment on function arcano.observed_mapped_jobs() is
  'Internal: of each entry of observe mode about a job of a mapped table that is there: the job''s status now (a word that is not mapped as it is; unreadable: its table cannot be read), and whether it came alive.';

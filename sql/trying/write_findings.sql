-- Whether each write that the package makes works in a table: made on a job of its own, which is undone, by the public calls, and so
-- with the rights with which they run. A table that is not attached yet is attached for that moment, without its indexes; the app's
-- statements wait meanwhile: it gives up at once where the table is in use, and after a second.
--
-- Dynamic, because it runs what attach_steps answers.
create or replace function arcano.write_findings(p_table regclass, p_alone boolean, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
  v_is_mapped constant boolean := arcano.is_mapped(p_table);
  v_paths constant text[] := case when arcano.is_mapped(p_table) then array['create_job,cancel_job,restore_job']
    else array[
      'create_job,touch_job,cancel_job,restore_job', 'create_job,run_or_queue,claim_jobs,start_job,touch_job,finish_job',
      'create_job,run_or_queue,claim_jobs,requeue_job,claim_jobs,fail_job', 'create_job,start_job,requeue_job (running)',
      'create_job,start_job,cancel_job (running)', 'create_job,run_or_queue,claim_jobs,cancel_job (starting)',
      'create_job,run_or_queue,claim_jobs,finish_job (starting)', 'create_job,start_job,fail_job (running)',
      'create_job (charged),cancel_job (refunded)'] end;
  v_has_refunds constant boolean := (select s.refund_function is not null from arcano.setting s);
  v_example record;
  v_until timestamptz;
  v_path text;
  v_tried record;
  v_statement text;
  v_worked text[] := '{}';
  v_refused jsonb := '{}';
begin
  finding := 'what the package writes, tried and rolled back';
  if pg_relation_size(p_table) > 32 * 1024 * 1024 and not exists (
    select
      from pg_index i
      join pg_attribute a on a.attrelid = p_table and a.attnum = i.indkey[0] and a.attname = 'user_id'
     where i.indrelid = p_table and i.indisvalid) and not v_is_mapped
  then
    return query select 'warning', finding, 'not tried: no index finds a user''s jobs, and the table is large: it would be locked for long',
      'Attaching it builds one. Check it again then.';
    return;
  end if;
  begin
    v_example := arcano.example_job(p_table);
    for v_statement in
      -- Its indexes would be built while nobody can use it; a job is found by its id.
      select s.statement from arcano.attach_steps(p_table, p_concurrently => false) s where s.statement !~ '^(create|drop) index' and not v_is_mapped
    loop
      exit when v_example.user_id is null;
      execute v_statement;
      v_until := clock_timestamp() + interval '1 second'; -- nobody can use it meanwhile
    end loop;
    foreach v_path in array v_paths loop
      continue when v_path ~ 'refund' and not v_has_refunds;
      exit when v_example.user_id is null;
      v_tried := arcano.try_path(p_table, v_example.job_id, v_example.user_id, v_example.data, string_to_array(v_path, ','), p_alone, v_until);
      v_worked := v_worked || v_tried.worked;
      exit when v_tried.errcode = 'AR004';
      if v_tried.failed is not null and not v_refused ? v_tried.failed then
        v_refused := v_refused || jsonb_build_object(v_tried.failed, jsonb_build_array(v_tried.errcode, v_tried.problem));
      end if;
      exit when v_tried.failed = 'create_job' or v_tried.worked = '{}';
    end loop;
    raise exception 'rolled back' using errcode = 'AR001';
  exception
    when sqlstate 'AR001' then
      null;
    when lock_not_available then
      return query select 'warning', finding, 'not tried: the table is in use', 'Try again when no long transaction has read it.';
      return;
    when others or assert_failure then
      return query select 'error', finding, format('attaching it: %s: %s', sqlstate, sqlerrm), null::text;
      return;
  end;
  if v_example.user_id is null then
    return query select 'warning', finding, 'not tried: each user has a job that is worked on, or there is none', 'Try again when one has none.';
    return;
  elsif v_tried.errcode = 'AR004' then
    return query select 'warning', finding, 'not tried to its end: the app''s own triggers take long, and nobody can use the table meanwhile', 'Attach it: then it is tried without a lock. Or look why they take so long.';
  end if;
  return query
    select 'error', finding, format('%s: %s', r.key, concat_ws(': ', r.value ->> 0, r.value ->> 1)), arcano.refusal_hint(p_table, r.key, r.value ->> 0)
      from jsonb_each(v_refused) r;
  return query
    select 'ok', finding, format('%s: nothing of the app is in the way', string_agg(w.call, ', ' order by w.place)), null::text
      from (select u.call, min(u.place) as place from unnest(v_worked) with ordinality u (call, place) where not v_refused ? u.call group by u.call) w
    having count(*) > 0;
  if v_example.needs <> '{}' then
    return query select 'note', 'what create_job has to be given', array_to_string(v_example.needs, ', ') || ', which cannot be null and have no default', 'p_data => ' || quote_literal(v_example.data);
  end if;
end
$$;

comment on function arcano.write_findings(regclass, boolean) is
  'Internal: which writes of the package p_table lets through, tried on a job of its own, and which it refuses and why. p_alone: what is_alone said when the call began. Changes nothing.';

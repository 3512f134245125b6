-- What the app's own code made otherwise of what a call has just written, and said nothing: then the rule judges a job by what is not so.
create or replace function arcano.not_kept(p_call text, p_job arcano.job_ref, p_user_id arcano.job.user_id%type)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  j constant arcano.job := arcano.any_row(p_job);
  v_is_mapped constant boolean := arcano.is_mapped(p_job.relid);
begin
  return (
    select 'it writes ' || string_agg(k.columns, ', ') || ', and something of the app makes that otherwise'
      from (
        values
          ('create_job', 'user_id', true, j.user_id is not distinct from p_user_id),
          ('create_job', 'created_at', true, abs(extract(epoch from clock_timestamp() - j.created_at)) < 60),
          ('create_job', 'status', true, arcano.is_waiting(j.status)),
          ('touch_job', 'heartbeat_at', false, abs(extract(epoch from clock_timestamp() - j.heartbeat_at)) < 60),
          ('run_or_queue', 'waited_in_queue', false, j.waited_in_queue),
          ('run_or_queue', 'position', false, j."position" > 0),
          ('claim_jobs', 'status', false, j.status = 'starting'),
          ('claim_jobs', 'attempt', false, j.attempt > 0),
          ('claim_jobs', 'started_at', false, abs(extract(epoch from clock_timestamp() - j.started_at)) < 60),
          ('start_job', 'status', false, j.status = 'running'),
          ('start_job', 'attempt', false, j.attempt > 0),
          ('start_job', 'task_id', false, j.task_id like 'arcano-db tries %'),
          ('start_job', 'started_at', false, abs(extract(epoch from clock_timestamp() - j.started_at)) < 60),
          ('requeue_job', 'status', false, j.status = 'queued'),
          ('requeue_job', 'waited_in_queue', false, j.waited_in_queue),
          ('requeue_job', 'task_id', false, j.task_id is null),
          ('requeue_job', 'started_at', false, j.started_at is null or arcano.cannot_be_null(p_job.relid, 'started_at')),
          ('finish_job', 'status', false, j.status = 'completed'),
          ('finish_job', 'completed_at', false, j.completed_at is not null),
          ('fail_job', 'status', false, j.status = 'failed'),
          ('fail_job', 'error_message', false, j.error_message = 'tried'),
          ('cancel_job', 'status', true, j.status = any (arcano.ended_statuses())),
          ('cancel_job', 'error_message', false, j.error_message = 'tried'),
          ('restore_job', 'status', true, arcano.is_open(j.status))
      ) k (call, columns, is_mapped, is_kept)
     where k.call = split_part(p_call, ' ', 1) and (k.is_mapped or not v_is_mapped) and k.is_kept is not true
    having count(*) > 0
  );
end
$$;

comment on function arcano.not_kept(text, arcano.job_ref, arcano.job.user_id%type) is
  'Internal: which columns of p_job are not as p_call has written them; null: all are.';

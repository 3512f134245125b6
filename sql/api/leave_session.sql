-- As cancel_session, unless the page is back: see arcano.leave_session.
create or replace function arcano_api.leave_session(
  p_session_id arcano.job.session_id%type,
  p_left_at timestamptz,
  p_reason text default null,
  p_in_queue boolean default true
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select l.* from arcano.leave_session(arcano.caller_id(), p_session_id, p_left_at, p_reason, p_in_queue) l;
end
$$;

comment on function arcano_api.leave_session(text, timestamptz, text, boolean) is
  'As cancel_session, but leaves the jobs that were made after p_left_at, or that touch_job was called for since. p_session_id null: all page visits. p_left_at null: an error. p_in_queue: whether jobs that stand in the queue are cancelled too.';

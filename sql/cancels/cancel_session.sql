-- Cancels the waiting jobs of a user or of a session at once, also those that were
-- touched lately, which leave_session spares. What the rule ended within the last hour no late call brings back.
create or replace function arcano.cancel_session(
  p_user_id arcano.job.user_id%type default null,
  p_session_id arcano.job.session_id%type default null,
  p_reason text default null
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.note_late_cancels(p_user_id, p_session_id, coalesce(p_reason, 'Session cancelled'));
  return query select * from arcano.leave_session(p_user_id, p_session_id, 'infinity', p_reason);
end
$$;

comment on function arcano.cancel_session(arcano.job.user_id%type, text, text) is
  'Cancels the waiting jobs of user p_user_id or session p_session_id (both given: both must match), with p_reason as their error_message, and answers a row for each. Working jobs are never touched. Neither given: an error.';

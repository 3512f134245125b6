-- Cancels the waiting jobs of the user who calls, at once: all of them, or those of one page visit.
create or replace function arcano_api.cancel_session(
  p_session_id arcano.job.session_id%type default null,
  p_reason text default null
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select c.* from arcano.cancel_session(arcano.caller_id(), p_session_id, p_reason) c;
end
$$;

comment on function arcano_api.cancel_session(text, text) is
  'Cancels the waiting jobs of the user who calls, of the page visit p_session_id alone if that is given, with p_reason as their error_message, and answers a row for each. Working jobs are never touched.';

-- Cancels a user's own job that waits. One that is worked on only a backend may cancel: a provider may go on with it
-- and charge for it.
create or replace function arcano_api.cancel_job(
  p_job_id arcano.job.id%type,
  p_table text default null,
  p_reason text default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out refunded boolean
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job constant arcano.job_ref := arcano.own_job(p_job_id, p_table);
begin
  select c.* into changed, status, attempt, note, refunded from arcano.cancel_job(v_job.id, false, p_reason, v_job.relid) c;
  -- Why the app's own code refused it, is in the journal, and none of the user's business.
  if note ~ '^[0-9A-Z]{5}: ' then
    note := 'it cannot be cancelled now: try again';
  end if;
end
$$;

comment on function arcano_api.cancel_job(arcano.job.id%type, text, text) is
  'Cancels the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone), with p_reason as its error_message. changed is false, and note says why, for a job that works, has ended, or is being changed at this moment.';

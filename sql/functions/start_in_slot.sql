-- Starts one waiting job, which the caller has locked, in a slot that the caller has taken. claim_jobs does
-- the same to many in one statement.
create or replace function arcano.start_in_slot(
  p_job arcano.job_ref,
  p_account text,
  out user_id arcano.job.user_id%type,
  out attempt integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.job j
     set status = 'starting', api_account = p_account, started_at = clock_timestamp(),
         attempt = coalesce(j.attempt, 0) + 1
   where j.id = p_job.id and j.tableoid = p_job.relid
  returning j.user_id, j.attempt into user_id, attempt;
  if not found then
    perform arcano.refuse_suppression();
  end if;
end
$$;

comment on function arcano.start_in_slot(arcano.job_ref, text) is
  'Internal: starts p_job in a slot of p_account (null: in none), and answers its user and attempt.';

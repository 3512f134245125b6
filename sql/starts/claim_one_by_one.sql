-- claim_jobs when one statement for all failed: each job by itself, so that one that cannot be started
-- (a veto of the app's own trigger or constraint) stops no other. It is in the journal, and backs off.
create or replace function arcano.claim_one_by_one(p_slots text[], p_limit integer, p_beats boolean, p_alone boolean)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  api_account text,
  attempt integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_taken integer := 0;
  v_job record;
  v_tid tid;
begin
  for v_job in
    select j.tableoid as relid, j.id
      from arcano.job j
     where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
       and not arcano.is_backing_off(j.tableoid, j.id, j.created_at)
     order by j.created_at, j.id
  loop
    exit when v_taken = p_limit;
    begin
      select j.ctid into v_tid
        from arcano.job j
       where j.id = v_job.id and j.tableoid = v_job.relid and case when arcano.is_waiting(j.status) then true end
         for no key update skip locked;
      continue when not found;

      select arcano.table_name(s.relid), s.job_id, s.user_id, s.api_account, s.attempt
        into job_table, job_id, user_id, api_account, attempt
        from arcano.start_in_slots(array[v_job.relid], array[v_tid], p_slots[v_taken + 1:v_taken + 1], p_beats, p_alone) s;
      v_taken := v_taken + 1;
      return next;
    exception
      when others or assert_failure then
        perform arcano.journal_and_back_off((v_job.relid, v_job.id)::arcano.job_ref, 'claim_jobs', sqlstate || ': ' || sqlerrm);
    end;
  end loop;
end
$$;

comment on function arcano.claim_one_by_one(text[], integer, boolean, boolean) is
  'Internal: starts at most p_limit jobs of the queue, in p_slots (null: in none), one statement for each. p_alone: what is_alone said when the call began.';

-- claim_jobs when one statement for all failed: each job by itself, so that one that cannot be started
-- (a veto of the app's own trigger or constraint) stops no other. It is in the journal, and left alone for
-- as long as is_put_off says.
create or replace function arcano.claim_one_by_one(p_slots text[], p_limit integer)
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
begin
  for v_job in
    select j.tableoid as relid, j.id
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
       and not arcano.is_put_off(j.id)
     order by j.created_at, j.id
  loop
    exit when v_taken = p_limit;
    begin
      perform
        from arcano.job j
       where j.id = v_job.id and j.tableoid = v_job.relid and case when arcano.is_waiting(j.status) then true end
         for no key update skip locked;
      continue when not found;

      api_account := p_slots[v_taken + 1];
      select s.user_id, s.attempt into user_id, attempt
        from arcano.start_in_slot((v_job.relid, v_job.id)::arcano.job_ref, api_account) s;
      job_table := arcano.table_name(v_job.relid);
      job_id := v_job.id;
      v_taken := v_taken + 1;
      return next;
    exception
      when others then
        perform arcano.journal_error((v_job.relid, v_job.id)::arcano.job_ref, 'claim_jobs', sqlstate || ': ' || sqlerrm);
    end;
  end loop;
end
$$;

comment on function arcano.claim_one_by_one(text[], integer) is
  'Internal: starts at most p_limit jobs of the line, in p_slots (null: in none), one statement for each.';

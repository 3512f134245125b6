-- Does what finish_jobs promises, and leaves it to its caller to wake workers. A job that cannot be ended (a veto of
-- the app's own trigger or constraint) does not keep the others from ending, and is in the journal.
create or replace function arcano.finish_without_waking(
  p_job_ids arcano.job_ids.ids%type,
  p_status text,
  p_error text,
  p_attempts integer[]
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_completed arcano.job_ids.ids%type;
  v_attempts integer[];
  v_job record;
begin
  if p_job_ids is null or array_position(p_job_ids, null) is not null then
    raise exception 'the ids of the jobs must be neither null nor have a null among them'
      using errcode = 'null_value_not_allowed', hint = 'Name the jobs that are to be ended.';
  end if;
  if cardinality(p_attempts) <> cardinality(p_job_ids) then
    raise exception 'p_attempts has % elements, for % jobs', cardinality(p_attempts), cardinality(p_job_ids)
      using errcode = 'invalid_parameter_value', hint = 'Give an attempt (or null) for each job, or none at all.';
  end if;

  if p_status = 'completed' then
    begin
      select c.job_ids, c.attempts into v_completed, v_attempts
        from arcano.complete_working_jobs(p_job_ids, p_attempts, p_error) c;
    exception
      when transaction_rollback then
        raise;
      when others or assert_failure then
        null; -- one by one, below
    end;
    return query select d.id, true, p_status, d.attempt, null::text from unnest(v_completed, v_attempts) d (id, attempt);
    if cardinality(v_completed) = cardinality(p_job_ids) then
      return;
    end if;
  end if;

  -- In the order of their ids, as complete_working_jobs locks them.
  for v_job in
    select distinct on (u.id) u.id, u.attempt
      from unnest(p_job_ids, p_attempts) u (id, attempt)
     where u.id <> all (coalesce(v_completed, '{}'))
     order by u.id
  loop
    job_id := v_job.id;
    begin
      select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
        from arcano.finish_job(v_job.id, p_status, p_error, v_job.attempt) f;
    exception
      when transaction_rollback then
        raise;
      when others or assert_failure then
        changed := false;
        note := sqlstate || ': ' || sqlerrm;
        select u.status, u.attempt into status, attempt from arcano.unchanged_job(v_job.id) u;
        perform arcano.journal_and_back_off((j.tableoid, j.id)::arcano.job_ref, 'finish_job', note)
           from arcano.job j
          where j.id = v_job.id;
    end;
    return next;
  end loop;
end
$$;

comment on function arcano.finish_without_waking(arcano.job_ids.ids%type, text, text, integer[]) is
  'Internal: as finish_jobs, for who wakes workers afterwards.';

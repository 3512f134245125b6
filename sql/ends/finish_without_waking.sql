-- Does what finish_jobs promises, and leaves it to its caller to wake workers. A job that cannot be ended (a veto of
-- the app's own trigger or constraint) does not keep the others from ending, and is in the journal.
create or replace function arcano.finish_without_waking(
  p_jobs arcano.job_ref[],
  p_status text,
  p_error text,
  p_attempts integer[],
  p_alone boolean
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text, job_table text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since constant timestamptz := clock_timestamp();
  v_lock_timeout constant interval := current_setting('lock_timeout');
  v_completed arcano.job_ref[];
  v_attempts integer[];
  v_job record;
  v_ref arcano.job_ref;
  v_attempt integer;
begin
  if cardinality(p_attempts) <> cardinality(p_jobs) then
    raise exception 'p_attempts has % elements, for % jobs', cardinality(p_attempts), cardinality(p_jobs)
      using errcode = 'invalid_parameter_value', hint = 'Give an attempt (or null) for each job, or none at all.';
  end if;

  if p_status = 'completed' then
    begin
      select c.jobs, c.attempts into v_completed, v_attempts
        from arcano.complete_working_jobs(p_jobs, p_attempts, p_error) c;
      if p_alone then
        perform arcano.check_constraints_now(array(select d.relid from unnest(v_completed) d), v_since, v_lock_timeout);
      end if;
    exception
      when others or assert_failure then
        if sqlstate like '40%' and not arcano.is_read_committed() then
          raise;
        end if;
        v_completed := null; -- one by one, below
    end;
    return query
      select d.id, true, p_status, d.attempt, null::text, arcano.table_name(d.relid)
        from unnest(v_completed, v_attempts) d (relid, id, attempt);
    if cardinality(v_completed) = cardinality(p_jobs) then
      return;
    end if;
  end if;

  -- In the order of their ids, as complete_working_jobs locks them.
  for v_job in
    select distinct on (u.id, u.relid) u.id, u.relid, u.attempt
      from unnest(p_jobs, p_attempts) u (relid, id, attempt)
     where (u.relid, u.id) not in (select c.relid, c.id from unnest(v_completed) c)
     order by u.id, u.relid
  loop
    v_ref := (v_job.relid, v_job.id);
    job_id := v_job.id;
    job_table := arcano.table_name(v_job.relid);
    begin
      select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
        from arcano.finish_open_job(v_ref, p_status, p_error, v_job.attempt) f;
      if p_alone then
        perform arcano.check_constraints_now(array[v_job.relid], v_since, v_lock_timeout);
      end if;
    exception
      when others or assert_failure then
        if sqlstate like '40%' and not arcano.is_read_committed() then
          raise;
        end if;
        changed := false;
        note := arcano.plain_text(sqlstate || ': ' || sqlerrm);
        select u.status, u.attempt into status, attempt from arcano.unchanged_job(v_ref) u;
        perform arcano.journal_and_back_off(v_ref, 'finish_job', note);
    end;
    -- What is done is not to be done by another worker. Who only waited for too long tells it again.
    v_attempt := attempt;
    if not changed and arcano.is_working(status) and coalesce(v_job.attempt, v_attempt) = v_attempt and not arcano.may_pass(note) then
      update arcano.beating_claim c
         set end_refused_at = clock_timestamp()
       where c.job_table = v_ref.relid and c.job_id = v_ref.id and c.attempt = v_attempt;
    end if;
    return next;
  end loop;
end
$$;

comment on function arcano.finish_without_waking(arcano.job_ref[], text, text, integer[], boolean) is
  'Internal: as finish_jobs, for who wakes workers afterwards. p_alone: what is_alone said when the call began.';

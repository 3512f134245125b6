-- Ends jobs that are not the caller's own, for the check, the sweep and the cancels; with put_back as their cause, jobs
-- whose worker fell silent go back into the queue instead. It promises:
--
--   * it waits for no row's lock: a job whose row somebody holds is left alone and not answered. What the app's own
--     trigger has to wait for is waited for no longer than longest_wait, for all of them together;
--   * what makes a job eligible is tested again in the statement that writes, on rows that nobody
--     can change meanwhile;
--   * each ended job is in the journal with its row as it was, in the same transaction;
--   * what was charged is refunded, or due, in the same transaction;
--   * a job that cannot be ended (a veto of the app's own trigger or constraint, a serialization
--     failure) is answered with its error and spoils no other: all are tried in one statement, and
--     only if that fails one by one. Where nothing can be written (a read-only transaction, a
--     standby, a full disk), the check gets that for all of them, and any other caller the error.
create or replace function arcano.end_jobs(
  p_jobs arcano.job_ref[],
  p_source text,
  p_cause text,
  p_reason text default null,
  p_since timestamptz default null,
  p_alone boolean default false,
  out job arcano.job_ref,
  out error text,
  out cause text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since constant timestamptz := coalesce(p_since, clock_timestamp());
  v_lock_timeout constant interval := current_setting('lock_timeout');
  v_ended arcano.job_ref[];
  v_sqlstate text;
  v_error text;
begin
  if p_jobs is null then
    return;
  end if;

  begin
    if p_cause = 'put_back' then
      v_ended := arcano.put_back_at_once(p_jobs, p_source, v_since, v_lock_timeout);
    else
      v_ended := arcano.end_jobs_at_once(
        p_jobs, p_source, p_cause, p_reason, v_since, v_lock_timeout, p_alone);
    end if;
    if p_alone then
      perform arcano.check_constraints_now(array(select e.relid from unnest(v_ended) e), v_since, v_lock_timeout);
    end if;
  exception
    when others or assert_failure then
      get stacked diagnostics v_sqlstate = returned_sqlstate, v_error = message_text;
      v_error := arcano.plain_text(v_sqlstate || ': ' || v_error);
      -- Where nothing can be written, one by one would fail as well. Without a disk it does, as what failed is journaled;
      -- that alone tells it from a trigger that says the same of one job.
      if current_setting('transaction_read_only')::boolean then
        if p_source <> 'check' then
          raise;
        end if;
        return query select r, v_error, p_cause from unnest(p_jobs) r;
        return;
      end if;

      if cardinality(p_jobs) > 1 then
        return query
          select e.job, e.error, e.cause
            from unnest(p_jobs) r cross join lateral arcano.end_jobs(array[r], p_source, p_cause, p_reason, v_since, p_alone) e;
        return;
      end if;

      job := p_jobs[1];
      if p_cause = 'put_back' and arcano.is_never_put_back(job, v_sqlstate) then
        return query
          select e.job, e.error, e.cause
            from arcano.end_jobs(p_jobs, p_source, 'silent', format(
                   'Auto-clean: the worker that had it fell silent, and it could not be put back into the queue (%s)', v_error), v_since, p_alone) e;
        return;
      end if;
      error := v_error;
      cause := p_cause;
      -- Not for the check: it may be asked many times a second, and the sweep says it too. What a cancel could not do
      -- may be the fault of its own session, and is no reason for workers to pass over the job.
      if p_source = 'sweep' then
        perform arcano.journal_and_back_off(job, p_source, error);
      elsif p_source <> 'check' then
        perform arcano.journal_once(job, 'error', p_source, error);
      end if;
      return next;
      return;
  end;

  return query select r::arcano.job_ref, null::text, p_cause from unnest(v_ended) r;
end
$$;

comment on function arcano.end_jobs(arcano.job_ref[], text, text, text, timestamptz, boolean) is
  'Internal: ends those of p_jobs to which p_cause (of end_causes, or put_back) applies, journals and refunds them. p_reason: their error_message. p_since: since when the caller waits (null: from now on). p_alone: what is_alone said when the call began. Answers a row for each job ended, with the cause that it came to, and with its error for each that could not be.';

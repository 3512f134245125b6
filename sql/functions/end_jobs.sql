-- Ends jobs that are not the caller's own, for the check, the sweep and the cancels. What makes
-- a job eligible, what it becomes, and what the journal calls it:
--
--   orphan         the orphan rule                              cancelled   healed
--   charged_ghost  the same for a charged one, in its own time  cancelled   cancelled
--   waiting        somebody asked, and it waits                 cancelled   cancelled
--   forced         somebody insists, and it works               cancelled   force_cancelled
--   stalled        the rule of stalled jobs                     failed      stalled
--
-- It promises:
--
--   * it waits for no row's lock: a job whose row somebody holds is left alone and not answered;
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
  out job arcano.job_ref,
  out error text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
as $$
declare
  v_message constant text := coalesce(p_reason, arcano.end_message(p_cause));
  v_event constant text := case p_cause
    when 'orphan' then 'healed' when 'stalled' then 'stalled' when 'forced' then 'force_cancelled' else 'cancelled' end;
  v_status constant text := arcano.status_given(v_event);
  v_refund_kind constant text := case when p_cause in ('stalled', 'forced') then p_cause else 'cancelled' end;
  v_relids oid[];
  v_ids arcano.job_ids.ids%type;
  v_tids tid[];
  v_rows jsonb[];
  v_wanted integer;
  v_ended arcano.job_ref[];
  v_charged arcano.job_ref[];
  v_sqlstate text;
begin
  if p_jobs is null then
    return;
  end if;

  begin
    select array_agg(r.relid), array_agg(r.id), array_agg(r.tid), array_agg(r.job)
      into v_relids, v_ids, v_tids, v_rows
      from arcano.job_rows(p_jobs, true) r;

    -- What is locked stays where it is, and is found there. With a condition on status outside of a case, the
    -- planner may walk a partial index, and all open jobs with it; and it joins no whole table to what is lateral.
    with wanted as materialized (
      select o.relid, o.job_id, o.tid, o.job_table, o.user_id, r.job as job_before
        from unnest(v_relids, v_ids, v_tids, v_rows) r (relid, id, tid, job)
       cross join lateral (
         select * from arcano.judged_job j where j.tid = r.tid and j.relid = r.relid and j.job_id = r.id offset 0
       ) o
       where case
               when o.is_open then
                 case p_cause
                   when 'orphan' then o.is_orphan
                   when 'charged_ghost' then o.is_charged_ghost and o.is_enforced
                   when 'waiting' then o.is_waiting
                   when 'stalled' then o.is_stalled and o.is_enforced
                   when 'forced' then not o.is_waiting
                 end
             end
    ), ended as (
      update arcano.job j
         set status = v_status, completed_at = now(), error_message = v_message
        from wanted w
       where j.ctid = w.tid and j.tableoid = w.relid and j.id is not null -- which leaves the empty parent out
      returning w.relid, w.job_id, w.job_table, w.user_id, w.job_before, j.status,
                arcano.is_charged(j.credits_charged, j.user_credit_cost) as is_charged
    ), journaled as (
      insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
      select v_event, p_source, v_message, e.job_table, e.job_id, e.user_id, e.job_before
        from ended e
    )
    select count(*), array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.status = v_status),
           array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.is_charged)
      into v_wanted, v_ended, v_charged
      from wanted w
      left join ended e on e.relid = w.relid and e.job_id = w.job_id;

    if v_wanted <> coalesce(cardinality(v_ended), 0) then
      perform arcano.refuse_suppression();
    end if;
    if v_charged is not null then
      perform arcano.refund_job(r::arcano.job_ref, v_refund_kind, p_source) from unnest(v_charged) r;
    end if;
  exception
    when others then
      get stacked diagnostics v_sqlstate = returned_sqlstate, error = message_text;
      error := v_sqlstate || ': ' || error;
      -- Without a disk to write to, one by one would fail as well, and hold rows for longer.
      if v_sqlstate = '25006' or v_sqlstate like '53%' then
        if p_source <> 'check' then
          raise;
        end if;
        return query select r, end_jobs.error from unnest(p_jobs) r;
        return;
      end if;

      if cardinality(p_jobs) > 1 then
        return query
          select e.job, e.error
            from unnest(p_jobs) r cross join lateral arcano.end_jobs(array[r], p_source, p_cause, p_reason) e;
        return;
      end if;

      job := p_jobs[1];
      -- Not for the check: it may be asked many times a second, and the sweep says it too.
      if p_source <> 'check' then
        perform arcano.journal_error(job, p_source, error);
      end if;
      return next;
      return;
  end;

  return query select r::arcano.job_ref, null::text from unnest(v_ended) r;
end
$$;

comment on function arcano.end_jobs(arcano.job_ref[], text, text, text) is
  'Internal: ends those of p_jobs to which p_cause applies (orphan, charged_ghost, waiting, forced, stalled), journals and refunds them. p_reason: their error_message. Answers a row for each job ended, and with its error for each that could not be.';

-- Ends a waiting or working job. A call that comes late or twice, or from a worker of an earlier
-- attempt, changes nothing; if it would have ended the job otherwise than it did end, the journal keeps
-- that once. A job that ends while it waits, without a worker of its own, is in the journal too.
--
-- A job that the orphan rule healed is revived for it, if its user has not gone on: its client had been at work after all.
create or replace function arcano.finish_job(
  p_job_id arcano.job.id%type,
  p_status text default 'completed',
  p_error text default null,
  p_attempt integer default null,
  p_table regclass default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
  v_revived record;
begin
  perform arcano.refuse_end_status(p_status);
  select f.* into changed, status, attempt, note from arcano.finish_open_job(v_ref, p_status, p_error, p_attempt, false) f;
  if not changed and status = 'cancelled' and p_status <> 'cancelled' and coalesce(p_attempt, 0) = 0 then
    select r.* into v_revived from arcano.revive_job(v_ref, 'finish_job', null, null) r;
    if v_revived.changed then
      select f.changed, f.status, f.attempt, coalesce(f.note, v_revived.note) into changed, status, attempt, note
        from arcano.finish_open_job(v_ref, p_status, p_error, null, false) f;
    else
      status := v_revived.status;
      note := v_revived.note;
    end if;
  end if;
  if not changed then
    if not arcano.note_late_finish(v_ref, p_status, status, p_error, p_attempt <> attempt) then
      note := 'somebody is changing this job at this moment: try again';
    end if;
  end if;
end
$$;

comment on function arcano.finish_job(arcano.job.id%type, text, text, integer, regclass) is
  'Ends job p_job_id of p_table as p_status: completed, failed or cancelled. p_error: its error_message, without control characters and of at most 10,000 characters. p_attempt: the attempt that the worker started; if the job is at another one, or waits again, nothing changes. A job that the orphan rule healed is revived and ended (note: revived) if its user has no other active job. One that has ended otherwise, or is not there: changed is false, and note says why; a late finish that differs from how the job ended is in the journal. A charged job cancelled before it ran is refunded by the next sweep, and others where the table''s refund_when says so.';

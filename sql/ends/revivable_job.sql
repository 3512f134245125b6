-- Whether a job may come back, but for its user, who may have gone on: what ended it last was the orphan rule, or for start_job
-- that nobody started it in time after it was claimed. A touch alone does not bring back what it could not have protected.
create or replace function arcano.revivable_job(p_job arcano.job_ref, p_by text, p_attempt integer)
returns table (user_id arcano.job.user_id%type, status text, error_message text, is_claim boolean, row_before jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_may boolean;
  v_status text;
  v_error_message text;
begin
  select j.user_id, j.status, j.error_message into user_id, status, error_message
    from arcano.job j
    left join arcano.job_table t on t.job_table = j.tableoid
   where j.id = p_job.id and j.tableoid = p_job.relid
     and case when j.status = 'cancelled' or p_by = 'start_job' and j.status = 'failed' then true end
     and (p_attempt is null or p_attempt = coalesce(j.attempt, 0))
     and (p_by <> 'touch_job' or arcano.heals_at(
       'queued', null, null, null, 0, false, j.created_at, null, clock_timestamp(), false, t.orphan_after,
       arcano.longer_by_away(t.touch_limit, j.created_at)
     ) > clock_timestamp());
  if not found then
    return;
  end if;
  v_status := status;
  v_error_message := error_message;
  -- If the row has another message than that, something else ended it afterwards.
  select e.reason = v_error_message and (
           e.event = 'healed' and v_status = 'cancelled'
           or v_status = 'failed' and (e.event, e.reason) = (
             select c.event, c.message from arcano.end_causes() c where c.cause = 'unstarted')),
         e.event <> 'healed', e.job_before
    into v_may, is_claim, row_before
    from arcano.job_history(p_job) e
   where e.event not in ('error', 'late_finish', 'refund_due', 'refunded')
   order by e.event_id desc
   limit 1;
  if v_may then
    return next;
  end if;
end
$$;

comment on function arcano.revivable_job(arcano.job_ref, text, integer) is
  'Internal: p_job, if p_by (start_job, touch_job, run_or_queue or finish_job) may bring it back, what ended it, and its row before that; p_attempt: the attempt that it must be at; null: any.';

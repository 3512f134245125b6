-- A job whose created_at is yet to come, by a client's clock or a client's wish, would be left alone until then. From when
-- the journal says that it was first seen so (seen_at; null: it does not), it is taken no longer than one that was made
-- at that moment.
--
-- What asks is a view, whose reader may not read the journal.
create or replace function arcano.future_job(p_job arcano.job_ref, out seen_at timestamptz, out heals_at timestamptz)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select s.seen_at,
         least(
           arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
             j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit),
           arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
             s.seen_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit))
    into seen_at, heals_at
    from arcano.job j
    left join arcano.job_table t on t.job_table = j.tableoid
   cross join lateral (
     select min(e.created_at)
       from arcano.job_event e
      where e.job_id = j.id and e.event = 'from_future' and arcano.is_of_table(e.relid, e.job_table, j.tableoid)
        and (e.job_before ->> 'created_at')::timestamptz = j.created_at
   ) s (seen_at)
   where j.id = p_job.id and j.tableoid = p_job.relid;
end
$$;

comment on function arcano.future_job(arcano.job_ref) is
  'Internal: of p_job, whose created_at is in the future: when the journal says that it was first seen, and when the rule makes it an orphan, given that.';

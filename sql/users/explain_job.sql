-- Why a job blocks its user, and what protects it from the orphan rule: each condition of the rule by itself.
-- The rule is asked, and not repeated: once for each condition, about a job that differs from a plain orphan in
-- the columns of that condition alone.
create or replace function arcano.explain_job(p_job_id arcano.job.id%type, p_table regclass default null)
returns table (condition text, holds boolean, detail text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_any_job(p_job_id, p_table);
  v_old constant timestamptz := '2000-01-01 00:00+00';
  v_made_at timestamptz;
  o arcano.judged_job;
  j arcano.job%rowtype;
  t arcano.job_table%rowtype;
begin
  j := arcano.any_row(v_ref);
  if j.id is null then
    return query select 'the job is there', false, 'no such job';
    return;
  end if;
  select s.* into t from arcano.job_table s where s.job_table = v_ref.relid;
  select f.* into o from arcano.judged_job f where f.job_id = v_ref.id and f.relid = v_ref.relid
   union all select f.* from arcano.generated_jobs_by_id(v_ref.id) f where f.relid = v_ref.relid;
  v_made_at := coalesce(case when j.created_at > now() + interval '1 minute' then arcano.future_job(v_ref, j.created_at) end, j.created_at);

  return query
    select c.condition,
           h.heals_at is not null and (not c.by_age or h.heals_at < now()),
           case
             when c.by_age and h.heals_at is not null then
               format(case when h.heals_at < now() then 'since %s' else 'at %s' end, h.heals_at)
               || case when h.heals_at > b.heals_at then format(', which is %s later than it was, because nobody could reach the database for so long', date_trunc('second', h.heals_at - b.heals_at)) else '' end
             else c.detail
           end
      from (
        values
          ('status waits', j.status, null, null, null, 0, false, v_old, null, null, false, false,
            format('status is %s', coalesce(j.status, 'null'))),
          ('no provider has it', 'queued', j.task_id, null, null, 0, false, v_old, null, null, false, false,
            format('task_id is %s', coalesce(j.task_id, 'null'))),
          ('it never started', 'queued', null, null, null, 0, false, v_old, j.started_at, null, false, false,
            format('started_at is %s', coalesce(j.started_at::text, 'null'))),
          ('it never entered the line', 'queued', null, j."position", j.waited_in_queue, 0, false, v_old, null, null, false, false,
            format('position is %s, waited_in_queue is %s', coalesce(j."position"::text, 'null'), coalesce(j.waited_in_queue::text, 'null'))),
          ('it was not charged', 'queued', null, null, null, j.user_credit_cost, j.credits_charged, v_old, null, null, false, false,
            format('credits_charged is %s, user_credit_cost is %s', coalesce(j.credits_charged::text, 'null'), coalesce(j.user_credit_cost::text, 'null'))),
          ('no operator put it back', 'queued', null, null, null, 0, false, v_old, null, null, j.orphan_exempt, false,
            format('orphan_exempt is %s', coalesce(j.orphan_exempt::text, 'null'))),
          ('it has been silent for orphan_after', 'queued', null, null, null, 0, false, v_made_at, null, j.heartbeat_at, false, true,
            'created_at is null')
      ) c (condition, status, task_id, "position", waited_in_queue, user_credit_cost, credits_charged, created_at,
           started_at, heartbeat_at, orphan_exempt, by_age, detail)
     cross join lateral (
       select arcano.heals_at(
         c.status, c.task_id, c."position", c.waited_in_queue, c.user_credit_cost, c.credits_charged, c.created_at,
         c.started_at, c.heartbeat_at, c.orphan_exempt, coalesce(t.orphan_after, '0'), coalesce(arcano.longer_by_away(t.touch_limit, c.created_at), '0'))
     ) b (heals_at)
     cross join lateral (
       select case when c.by_age then arcano.later_by_away(b.heals_at, b.heals_at - coalesce(t.orphan_after, '0')) else b.heals_at end
     ) h (heals_at);

  return query
    select 'its table is under the rule', t.mode is not distinct from 'enforce',
           case
             when t.mode is null then 'the table has no settings: it was inherited by hand, and not attached'
             when t.breaker_tripped_at is not null then
               format('mode is %s since %s, because too many of its jobs looked like ghosts', t.mode, t.breaker_tripped_at)
             else format('mode is %s', t.mode)
           end;

  -- A table without settings, inherited by hand, has no orphans.
  return query
    select 'so the job is an orphan', coalesce(o.is_orphan and o.is_enforced, false),
           case
             when o.is_open is not true then 'it has ended, and blocks nobody'
             when o.is_orphan and o.is_enforced then 'it blocks nobody, and the next check or sweep cancels it'
             when o.is_orphan and not o.is_enforced then 'it would be, and blocks its user: its table is only observed'
             when o.frees_at is not null then format('it blocks its user, until %s if nothing more happens', o.frees_at)
             else 'it blocks its user until it ends'
           end;

  return query
    select case when o.stalls_at is null or not o.is_enforced then 'nothing limits its work' else 'its work is limited' end, true,
           case
             when o.stalls_at is null then
               format('its last sign of life is from %s: stall_after of its table would end such jobs', arcano.silent_since(j.created_at, j.started_at, j.heartbeat_at))
             when not o.is_enforced then format('it would be, at %s: its table is only observed', o.stalls_at)
             when greatest(j.started_at, j.heartbeat_at) > now() + interval '1 minute' then
               format('only at %s, because a wrong clock wrote %s into its row; its last sign of life that can be one is from %s', o.stalls_at, greatest(j.started_at, j.heartbeat_at), arcano.silent_since(j.created_at, j.started_at, j.heartbeat_at))
             when o.silent_since is not null then format('it should have ended at %s: something keeps it as it is, or nobody sweeps', o.stalls_at)
             when o.beats and arcano.may_be_put_back(v_ref) then
               format('at %s, if its worker stays silent: it goes back to its place in the line, for the %s. of %s times', o.stalls_at, arcano.times_put_back(v_ref) + 1, t.max_attempts)
             else format('at %s, if nobody gives a sign of life: it fails', o.stalls_at)
               || case when o.beats or o.status = 'starting' then ', and is refunded' else '' end
           end
     where o.is_working;

  return query
    select format('%s by %s', e.event, e.source), true, format('%s: %s', e.created_at, e.reason)
      from arcano.job_history(v_ref) e;
end
$$;

comment on function arcano.explain_job(arcano.job.id%type, regclass) is
  'Why job p_job_id of p_table (null: of the one table that has the id) blocks its user or does not: a row for each condition of the orphan rule, whether it holds, and the columns that say so; then what follows, for a job that is worked on which limit ends that, and what the journal has about the job. All must hold for an orphan: the one that does not is what protects it.';

-- Whether somebody sweeps, and what piles up where nobody does, or where it cannot be done.
create or replace function arcano.sweep_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Longer than any sensible pause between sweeps.
  v_long constant interval := '15 minutes';
begin
  return query
    select 'warning', 'sweeper',
           case when s.last_at is null then 'none has run'
             else format('the last sweep ended at %s, by %s', s.last_at, coalesce(s.last_by, 'somebody unknown')) end,
           'Let pg_cron do it: arcano-db schedule ''1 minute''; or a service of its own: arcano-db sweep --every 30. No answer is wrong without it, but ghosts stay in their tables.'
      from arcano.sweep_status s
     where s.last_at is null or s.last_ago > v_long;

  return query
    select 'error', 'clocks', format('a sweep lies ahead, at %s: the server''s clock was ahead then, or has gone back since', s.last_at),
           'Look after the server''s time service. Nothing waits for that future; what was made meanwhile is from it, and is told here as well.'
      from arcano.sweep_status s
     where s.last_at > now() + interval '1 minute';

  return query
    select 'warning', 'orphans', format('%s: %s orphans for longer than %s, the oldest since %s', o.job_table, count(*), v_long, min(o.orphan_since)),
           'They block nobody. If the sweeper runs, something keeps them as they are: arcano-db events --event error'
      from arcano.orphan_job o
     where o.orphan_since < now() - v_long
     group by o.job_table;

  return query
    select 'warning', 'silent jobs',
           format('%s: %s jobs are worked on without a sign of life for an hour or longer, the oldest since %s, and %s',
             o.job_table, count(*), min(o.silent_since), w.why),
           w.mend
      from (
        select j.job_table, j.is_enforced, j.stalls_at, j.silent_since, j.is_working, false as is_mapped from arcano.open_job j
         union all
        select m.job_table, m.is_enforced, m.stalls_at, m.silent_since, m.is_working, true
          from arcano.generated_open_jobs() m where (select arcano.generated_has_tables())
      ) o
     cross join lateral (
       select case
                when not o.is_enforced then 'their table is only observed'
                when o.stalls_at is null then 'no limit ends them'
                when o.stalls_at > now() then 'a wrong clock has put off their limit'
                else 'their limit has passed'
              end,
              case
                when not o.is_enforced then format('arcano-db observed; then: arcano-db configure %s mode=enforce', o.job_table)
                when o.stalls_at is null and o.is_mapped then
                  'They block their users. Map what tells that somebody works on a job (started_at, heartbeat_at); then stall_after ends those that fell silent.'
                when o.stalls_at is null then
                  format('They hold their slots and block their users. If they end without a word for longer: arcano-db configure %s stall_after=''2 hours''; and let those who work call touch_job.', o.job_table)
                when o.stalls_at > now() then
                  'Their started_at or heartbeat_at lies ahead: write the right one, or end them with arcano-db cancel --force.'
                else 'If the sweeper runs, something keeps them as they are: arcano-db events --event error'
              end
     ) w (why, mend)
     where o.is_working and o.silent_since is not null
     group by o.job_table, w.why, w.mend;

  return query
    select 'warning', 'errors', format('%s: %s, %s times in the last hour, by %s', e.job_table, e.reason, count(*), string_agg(distinct e.source, ', ')),
           'Most often the app''s own trigger or constraint: arcano-db events --event error'
      from arcano.job_event e
     where e.event = 'error' and e.created_at > now() - interval '1 hour'
     group by e.job_table, e.reason;

  return query
    select 'warning', 'refunds', format('%s are due since %s or later: %s', count(*), min(f.due_at), coalesce(f.error, 'not tried yet')),
           'arcano-db refund list shows them.'
      from arcano.refund_due f
     where f.due_at < now() - interval '1 hour'
     group by f.error;

  return query
    select 'error', 'clocks', format('%s: %s open jobs are from the future, the latest from %s', o.job_table, count(*), max(o.created_at)),
           case when o.is_mapped then 'Give them a date that has been, in the column that is mapped as created_at, and let the database''s clock write it from then on: a job blocks its user by that date.'
             else format('update %s set created_at = now() where created_at > now() and status = any (%L); alter table %1$s alter column created_at set default now(); -- and let the app leave it to that: a job blocks its user, and keeps its place in the queue, by that date',
             o.job_table, arcano.waiting_statuses() || arcano.working_statuses()) end
      from (
        select j.job_table, j.created_at, false as is_mapped from arcano.open_job j
         union all
        select m.job_table, m.created_at, true from arcano.mapped_open_jobs() m
      ) o
     where o.created_at > now() + interval '1 minute'
     group by o.job_table, o.is_mapped;
end
$$;

comment on function arcano.sweep_health() is
  'Internal: what check_health says of sweeps and of what they leave behind.';

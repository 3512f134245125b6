-- What a monitor draws and alerts on, by Prometheus's conventions: arcano-db metrics serves these rows, and
-- sql_exporter or postgres_exporter can. All are gauges: the journal forgets, so nothing here only grows.
create or replace view arcano.metric as
with queue as materialized (
  select q.* from arcano.queue_status q
), per_table as (
  select n.job_table, t.mode, t.breaker_tripped_at,
         count(*) filter (where o.is_orphan) as orphans,
         count(*) filter (where o.charged_orphan_since < now()) as charged_orphans,
         count(*) filter (where o.silent_since is not null) as silent,
         arcano.age_in_seconds(min(o.heals_at) filter (where o.is_orphan and o.is_enforced)) as oldest_orphan
    from arcano.job_table t
   cross join lateral arcano.table_name(t.job_table) n (job_table)
    left join (
      select j.relid, j.is_orphan, j.is_enforced, j.heals_at, j.charged_orphan_since, j.silent_since from arcano.open_job j
       union all
      select m.relid, m.is_orphan, m.is_enforced, m.heals_at, m.charged_orphan_since, m.silent_since from arcano.mapped_open_jobs() m
    ) o on o.relid = t.job_table
   group by t.job_table, n.job_table, t.mode, t.breaker_tripped_at
)
select m.name, m.help, m.labels, m.value::double precision
  from (
    select 'arcano_jobs' as name, 'Jobs that wait or are worked on, by state: outside_queue, in_queue, starting, running.' as help,
           jsonb_build_object('job_table', q.job_table, 'state', s.state) as labels, s.jobs::numeric as value
      from queue q
     cross join lateral (
       values ('outside_queue', q.outside_queue), ('in_queue', q.in_queue), ('starting', q.starting), ('running', q.running)
     ) s (state, jobs)
    union all
    select s.name, s.help, jsonb_build_object('job_table', q.job_table), s.value
      from queue q
     cross join lateral (
       values
         ('arcano_jobs_stalled', 'Jobs that are worked on without a sign of life for longer than their table allows.', q.stalled::numeric),
         ('arcano_queue_oldest_age_seconds', 'Age of the oldest job in the queue.',
           arcano.age_in_seconds(q.oldest_in_queue))
     ) s (name, help, value)
    union all
    select s.name, s.help, jsonb_build_object('job_table', p.job_table), s.value
      from per_table p
     cross join lateral (
       values
         ('arcano_orphans', 'Jobs that the orphan rule matches: not healed yet, or their table is in observe mode.', p.orphans::numeric),
         ('arcano_orphan_oldest_age_seconds', 'For how long the oldest orphan has waited to be healed.', p.oldest_orphan),
         ('arcano_charged_orphans', 'Jobs that would be orphans, had they not been charged.', p.charged_orphans),
         ('arcano_jobs_silent', 'Jobs that are worked on without a sign of life for an hour or longer, and that no limit ends.', p.silent),
         ('arcano_table_enforced', '1: the table is under the rule; 0: it is only observed.', (p.mode = 'enforce')::integer),
         ('arcano_table_breaker_tripped', '1: the breaker has put the table in observe mode.', (p.breaker_tripped_at is not null)::integer)
     ) s (name, help, value)
    union all
    select 'arcano_unknown_words' as name, 'Words that the status of a mapped table has or may have, and that its mapping does not know: such jobs block nobody.' as help,
           jsonb_build_object('job_table', s.job_table) as labels, cardinality(s.unknown_words)
      from arcano.mapping_state() s
    union all
    select 'arcano_users_blocked' as name, 'Users whom an active job keeps from starting another.' as help, '{}' as labels,
           count(distinct a.user_id)
      from arcano.active_job a
    union all
    select s.name, s.help, jsonb_build_object('api_account', a.api_account), s.value
      from arcano.account_status a
     cross join lateral (
       values
         ('arcano_account_slots', 'How many jobs the account may work on at once.', a.slots),
         ('arcano_account_slots_used', 'How many jobs it works on.', a.used),
         ('arcano_account_enabled', '1: jobs may start in it.', a.enabled::integer)
     ) s (name, help, value)
    union all
    select s.name, s.help, '{}' as labels, s.value
      from (
        select count(*) as jobs, arcano.age_in_seconds(min(f.due_at)) as oldest from arcano.refund_due f
      ) f
     cross join lateral (
       values
         ('arcano_refunds_due', 'Refunds that are not paid yet.', f.jobs::numeric),
         ('arcano_refund_oldest_due_age_seconds', 'For how long the oldest of them has been due.', f.oldest)
     ) s (name, help, value)
    union all
    select s.name, s.help, '{}' as labels, s.value
      from arcano.sweep_status w
     cross join lateral (
       values
         ('arcano_sweep_last_timestamp_seconds', 'When the last sweep ended, in Unix time; none: no sweep has run.', extract(epoch from w.last_at)),
         ('arcano_sweep_last_duration_seconds', 'How long it took.', extract(epoch from w.last_took)),
         ('arcano_sweeps_last_hour', 'Sweeps in the last hour.', w.sweeps_in_hour),
         ('arcano_sweep_failures_last_hour', 'How often a job could not be ended in the last hour.', w.failed_in_hour)
     ) s (name, help, value)
    union all
    select 'arcano_events_last_hour' as name, 'Entries of the journal in the last hour, by event.' as help,
           jsonb_build_object('job_table', e.job_table, 'event', e.event), count(*)
      from arcano.job_event e
     where e.created_at > now() - interval '1 hour'
     group by e.job_table, e.event
  ) m
 where m.value is not null;

comment on view arcano.metric is
  'Metrics, a row a series, for Prometheus and others. All are gauges.';
comment on column arcano.metric.name is 'By Prometheus''s conventions: with its unit, and in base units.';
comment on column arcano.metric.labels is 'Names and values of the labels that tell the series of a name apart.';

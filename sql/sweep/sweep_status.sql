-- Whether anybody sweeps, and what came of it: always one row.
create or replace view arcano.sweep_status as
select l.finished_at as last_at,
       now() - l.finished_at as last_ago,
       l.finished_at - l.started_at as last_took,
       l.application_name as last_by,
       l.cancelled as last_cancelled,
       l.stalled as last_stalled,
       l.observed as last_observed,
       l.failed as last_failed,
       l.forgotten as last_forgotten,
       h.*,
       l.put_back as last_put_back
  from (select) only_one
  left join lateral (select r.* from arcano.sweep_run r order by r.finished_at desc limit 1) l on true
 cross join lateral (
   select count(*) as sweeps_in_hour,
          string_agg(distinct r.application_name, ', ') as by_in_hour,
          coalesce(sum(r.cancelled), 0) as cancelled_in_hour,
          coalesce(sum(r.stalled), 0) as stalled_in_hour,
          coalesce(sum(r.observed), 0) as observed_in_hour,
          coalesce(sum(r.failed), 0) as failed_in_hour,
          max(r.finished_at - r.started_at) as longest_in_hour,
          coalesce(sum(r.put_back), 0) as put_back_in_hour
     from arcano.sweep_run r
    where r.finished_at > now() - interval '1 hour'
 ) h;

comment on view arcano.sweep_status is
  'When a sweep last ran, what it did and how long it took, and the same of the last hour. Always one row; all null and 0: none has run, or none within keep_sweep_runs.';
comment on column arcano.sweep_status.last_at is 'When the last sweep ended.';
comment on column arcano.sweep_status.last_by is 'Its application_name.';
comment on column arcano.sweep_status.by_in_hour is 'All of the last hour''s sweepers, by application_name.';
comment on column arcano.sweep_status.put_back_in_hour is 'Jobs whose worker fell silent, put back into the queue.';
comment on column arcano.sweep_status.failed_in_hour is 'Jobs that could not be ended; each has an error in job_event.';

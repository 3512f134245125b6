-- The views would be in the way; those of the older release are loaded afterwards.
do $$
declare
  v_view text;
begin
  for v_view in
    select c.oid::regclass
      from pg_catalog.pg_class c
     where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v'
     order by c.relname = 'open_job'
  loop
    execute 'drop view ' || v_view;
  end loop;
end
$$;

-- What the journal holds stays, also what the older release would not have written: not valid.
alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;
alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in (
      'healed', 'cancelled', 'force_cancelled', 'stalled', 'failed', 'completed', 'revived', 'late_finish',
      'refund_due', 'refunded', 'error'
    )) not valid,
  add constraint job_event_source_is_known
    check (source in (
      'check', 'sweep', 'cancel_session', 'cancel_job', 'start_job', 'finish_job', 'claim_jobs', 'settle_refund'
    )) not valid;

alter table arcano.sweep_run drop column if exists observed, drop column if exists forgotten;
drop index if exists arcano.sweep_run_finished, arcano.job_event_created, arcano.job_event_observed;
alter table arcano.setting drop column if exists keep_events, drop column if exists keep_sweep_runs;
alter table arcano.job_table
  drop column if exists mode,
  drop column if exists breaker_share,
  drop column if exists enforced_since,
  drop column if exists breaker_tripped_at,
  drop column if exists added_columns;
drop type if exists arcano.job_ids;

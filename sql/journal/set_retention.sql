-- How long the journal, the account of the sweeps, and webhooks of tasks that no job has brought yet are kept.
create or replace function arcano.set_retention(
  p_events interval,
  p_sweep_runs interval default '7 days',
  p_unclaimed_tasks interval default '24 hours'
)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_events < '1 day' or p_events > '1000 years' or p_sweep_runs < '1 hour' or p_sweep_runs > '1000 years'
    or p_unclaimed_tasks < '1 minute' or p_unclaimed_tasks > '1000 years'
  then
    raise exception 'the journal is kept for 1 day to 1000 years, the account of the sweeps for 1 hour at least, webhooks for 1 minute'
      using errcode = 'invalid_parameter_value', detail = format('They are %s, %s and %s.', p_events, p_sweep_runs, p_unclaimed_tasks),
        hint = 'Such as 90 days. Null: for ever.';
  end if;
  update arcano.setting
     set keep_events = p_events, keep_sweep_runs = p_sweep_runs, keep_unclaimed_tasks = p_unclaimed_tasks;
end
$$;

comment on function arcano.set_retention(interval, interval, interval) is
  'Sets for how long the sweep keeps entries of the journal (p_events; at first 90 days) and its own account in sweep_run (p_sweep_runs; 7 days), and for how long a finish_task waits for the start_job that brings its task_id (p_unclaimed_tasks; 24 hours); null: for ever. What is forgotten can be neither explained nor restored, and a ghost that was healed before cannot be revived.';

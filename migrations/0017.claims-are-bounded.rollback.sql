-- The views and functions that name what goes must go before it; those of the older release are loaded afterwards.
do $$
declare
  v_views text;
  v_functions text;
begin
  select string_agg(c.oid::regclass::text, ', ') into v_views
    from pg_catalog.pg_class c where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v';
  if v_views is not null then
    execute 'drop view ' || v_views;
  end if;
  select string_agg(p.oid::regprocedure::text, ', ') into v_functions
    from pg_catalog.pg_proc p
   where p.pronamespace = 'arcano'::regnamespace
     and (p.proname = 'sweep_orphans' or to_regtype('arcano.provider_task') = any (p.proargtypes::oid[]));
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
end
$$;

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';
comment on column arcano.sweep_run.stalled is 'Jobs ended as failed because they stalled.';
comment on column arcano.job_table.starting_stall_after is
  'The same for a job that is still starting, whose worker has only to reach the provider; null: as stall_after.';

insert into arcano.task
select t.task_id, t.job_table, t.job_id, t.attempt, t.status, t.error, t.created_at
  from arcano.provider_task t
 order by t.created_at desc
on conflict do nothing;
drop table if exists arcano.provider_task;
comment on table arcano.task is 'Which job a provider''s task belongs to, for finish_task; kept for 30 days.';
alter table arcano.setting drop column if exists keep_unclaimed_tasks;
alter table arcano.sweep_run drop column if exists put_back;
drop table if exists arcano.beating_claim;
alter table arcano.job_table
  drop column if exists max_attempts,
  alter column starting_stall_after drop default;

-- What the journal holds stays, also what the older release would not have written: not valid.

alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;

alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in ('healed', 'cancelled', 'failed', 'completed', 'revived', 'late_finish', 'error')) not valid,
  add constraint job_event_source_is_known
    check (source in ('check', 'sweep', 'cancel_session', 'start_job', 'finish_job')) not valid;

-- The views, and the functions with a table's row among their arguments or as their result, would be in
-- the way; those of the older release are loaded afterwards.
do $$
declare
  v_object text;
begin
  for v_object in
    select 'view ' || c.oid::regclass
      from pg_catalog.pg_class c
     where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v'
     order by c.relname = 'open_job'
  loop
    execute 'drop ' || v_object;
  end loop;
  for v_object in
    select distinct 'function ' || p.oid::regprocedure
      from pg_catalog.pg_proc p
      join pg_catalog.pg_type t on t.oid = any (p.proargtypes::oid[] || p.prorettype)
      join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'r'
     where p.pronamespace = 'arcano'::regnamespace
  loop
    execute 'drop ' || v_object;
  end loop;
end
$$;

drop function if exists arcano.sweep_orphans(integer);

alter table arcano.sweep_run drop column if exists stalled;

drop table if exists arcano.task;

drop table if exists arcano.refund;

alter table arcano.job_table
  drop column if exists starting_stall_after,
  drop column if exists charged_orphan_after,
  drop column if exists refund_when,
  drop constraint if exists job_table_stall_after_in_range;

drop table if exists arcano.setting;

drop table if exists arcano.account;

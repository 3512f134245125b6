-- The functions of the older release read neither; they are loaded afterwards. Those that name the type must go
-- before it.
do $$
declare
  v_functions text;
begin
  select string_agg(p.oid::regprocedure::text, ', ') into v_functions
    from pg_catalog.pg_proc p
   where p.pronamespace = 'arcano'::regnamespace
     and exists (
       select from pg_catalog.pg_type t
        where t.oid = any (p.proargtypes::oid[] || p.prorettype || p.proallargtypes)
          and t.oid in (to_regtype('arcano.job_snapshot'), to_regtype('arcano.job_snapshot[]'))
     );
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
end
$$;

drop table if exists arcano.job_backoff;

drop type if exists arcano.job_snapshot;

alter table arcano.job_table
  alter column orphan_after set default '5 minutes',
  alter column touch_limit set default '1 hour';

-- What the journal holds stays: not valid.
alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;
alter table arcano.job_event
  add constraint job_event_event_is_known
    check (event in (
      'healed', 'cancelled', 'force_cancelled', 'stalled', 'failed', 'completed', 'revived', 'late_finish',
      'refund_due', 'refunded', 'observed', 'restored', 'error'
    )) not valid,
  add constraint job_event_source_is_known
    check (source in (
      'check', 'sweep', 'cancel_session', 'cancel_job', 'start_job', 'finish_job', 'claim_jobs', 'settle_refund',
      'restore_job'
    )) not valid;

do $$
declare
  v_index record;
begin
  for v_index in
    select x.indexrelid::regclass as name, regexp_replace(c.relname, '_arcano_queue$', '_arcano_line') as new_name
      from pg_catalog.pg_inherits i
      join pg_catalog.pg_index x on x.indrelid = i.inhrelid
      join pg_catalog.pg_class c on c.oid = x.indexrelid
     where i.inhparent = 'arcano.job'::regclass and c.relname like '%\_arcano\_queue'
  loop
    execute format('alter index %s rename to %I', v_index.name, v_index.new_name);
  end loop;
end
$$;

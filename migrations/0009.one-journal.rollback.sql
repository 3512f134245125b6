-- The functions and views of the older release are loaded afterwards. Those of this one that name what goes must go
-- before it.
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

-- Deletes what is older than the journal is to be kept, and the sweep's own account, a batch at a time.
create or replace function arcano.forget_events(p_limit integer)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_forgotten integer;
begin
  delete from arcano.job_event e
   where e.event_id in (
     select o.event_id
       from arcano.job_event o
      where o.created_at < now() - (select s.keep_events from arcano.setting s)
      order by o.created_at
      limit p_limit
        for update skip locked
   );
  get diagnostics v_forgotten = row_count;

  delete from arcano.sweep_run r
   where r.sweep_run_id in (
     select o.sweep_run_id
       from arcano.sweep_run o
      where o.finished_at < now() - (select s.keep_sweep_runs from arcano.setting s)
      order by o.finished_at
      limit p_limit
        for update skip locked
   );
  return v_forgotten;
end
$$;

comment on function arcano.forget_events(integer) is
  'Internal: deletes at most p_limit entries of the journal that are older than keep_events, and likewise of sweep_run; answers how many of the journal.';

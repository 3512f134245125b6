-- Deletes what is older than it is to be kept, a batch at a time: entries of the journal, the sweep's own account,
-- tasks of providers, keys of requests, and jobs that have not failed again since they could be tried.
create or replace function arcano.purge_expired(p_limit integer)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_purged integer;
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
  get diagnostics v_purged = row_count;

  delete from arcano.sweep_run r
   where r.sweep_run_id in (
     select o.sweep_run_id
       from arcano.sweep_run o
      where o.finished_at < now() - (select s.keep_sweep_runs from arcano.setting s)
      order by o.finished_at
      limit p_limit
        for update skip locked
   );

  -- What the functions of an older release have noted.
  with noted as (
    delete from arcano.task t
     where t.task_id in (select o.task_id from arcano.task o for update skip locked)
    returning t.*
  )
  insert into arcano.provider_task
  select n.task_id, '', n.job_table, n.job_id, n.attempt, n.status, n.error, n.created_at from noted n
  on conflict do nothing;
  delete from arcano.provider_task t
   where (t.task_id, t.api_account) in (
     select o.task_id, o.api_account
       from arcano.provider_task o
      where o.created_at < now() - interval '30 days'
         or o.job_id is null and o.created_at < now() - (select s.keep_unclaimed_tasks from arcano.setting s)
        for update skip locked
   );
  delete from arcano.request r
   where (r.user_id, r.request_key) in (
     select o.user_id, o.request_key
       from arcano.request o
      where o.created_at < now() - interval '1 day'
      order by o.created_at
      limit p_limit
        for update skip locked
   );
  delete from arcano.job_backoff b
   where (b.job_table, b.job_id) in (
     select o.job_table, o.job_id from arcano.job_backoff o where o.retry_at < now() - interval '1 hour' for update skip locked
   );
  return v_purged;
end
$$;

comment on function arcano.purge_expired(integer) is
  'Internal: deletes at most p_limit entries of the journal that are older than set_retention says, and likewise what else expires; answers how many of the journal.';

-- Whether there is anything in the queue that may be started now: jobs that back off do not count.
create or replace function arcano.has_claimable_job()
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  perform
    from arcano.job j
   where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
     and (not exists (select from arcano.job_backoff) or not arcano.is_backing_off(j.tableoid, j.id, j.created_at))
   order by j.created_at, j.id
   limit 1;
  return found;
end
$$;

comment on function arcano.has_claimable_job() is
  'Internal: whether a job of the queue may be started now.';

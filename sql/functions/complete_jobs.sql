-- The common case of finish_jobs, in one statement: jobs that are worked on, at the attempt that the caller
-- started, are completed. Locked in the order of their ids, so that two callers with the same jobs wait for
-- each other and not each for the other.
create or replace function arcano.complete_jobs(
  p_job_ids uuid[],
  p_attempts integer[],
  p_error text,
  out job_ids uuid[],
  out attempts integer[],
  out freed boolean
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Found by id alone: with a condition on status here, the planner may walk a partial index.
  with locked as materialized (
    select j.tableoid as relid, j.id
      from unnest(p_job_ids, p_attempts) g (id, attempt)
      join arcano.job j on j.id = g.id
       and case when arcano.is_working(j.status) and coalesce(g.attempt = coalesce(j.attempt, 0), true) then true end
     order by j.id
       for no key update of j
  ), ended as (
    update arcano.job j
       set status = 'completed', completed_at = clock_timestamp(), error_message = coalesce(p_error, j.error_message)
      from locked l
     where j.id = l.id and j.tableoid = l.relid
    returning j.id, coalesce(j.attempt, 0) as attempt, j.api_account
  )
  select array_agg(e.id), array_agg(e.attempt), count(e.api_account) > 0
    into job_ids, attempts, freed
    from ended e;
end
$$;

comment on function arcano.complete_jobs(uuid[], integer[], text) is
  'Internal: completes those of p_job_ids that are worked on, and answers them with their attempts, and whether any of them held a slot.';

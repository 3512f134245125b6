-- What the journal has about a job. An id may come again, in another table or after its row was deleted: entries of
-- another table or user, and those that are older than the row, are about another job.
create or replace function arcano.job_history(p_job arcano.job_ref)
returns setof arcano.job_event
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.generated_has_tables() and arcano.is_mapped(p_job.relid) then
    return query
      select e.*
        from arcano.generated_jobs_by_id(p_job.id) j
        join arcano.job_event e on e.job_id = j.job_id and arcano.is_of_table(e.relid, e.job_table, j.relid)
       where j.relid = p_job.relid
         and e.user_id is not distinct from j.user_id
         and arcano.is_about(e.created_at, j.created_at)
       order by e.event_id;
    return;
  end if;
  return query
    select e.*
      from arcano.job j
      join arcano.job_event e on e.job_id = j.id and arcano.is_of_table(e.relid, e.job_table, j.tableoid)
     where j.id = p_job.id
       and j.tableoid = p_job.relid
       and e.user_id is not distinct from j.user_id
       and arcano.is_about(e.created_at, j.created_at)
     order by e.event_id;
end
$$;

comment on function arcano.job_history(arcano.job_ref) is
  'Internal: the entries of the journal about p_job as it is now, the oldest first; none if its row is gone.';

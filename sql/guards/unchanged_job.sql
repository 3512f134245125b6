-- Why a call changed nothing, in the words that every function of a job's life uses. Always one row.
create or replace function arcano.unchanged_job(
  p_job arcano.job_ref,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select j.status, coalesce(j.attempt, 0) into status, attempt
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid;
  note := coalesce('already ' || status, 'no such job');
end
$$;

comment on function arcano.unchanged_job(arcano.job_ref) is
  'Internal: status and attempt of p_job, and the note of a call that came late or twice.';

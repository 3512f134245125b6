-- The place of a user's own job in the queue, counted now.
create or replace function arcano_api.queue_position(p_job_id arcano.job.id%type, p_table text default null)
returns integer
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job constant arcano.job_ref := arcano.own_job(p_job_id, p_table);
begin
  if arcano.generated_has_tables() and arcano.is_mapped(v_job.relid) then
    return null;
  end if;
  return arcano.queue_position(v_job.id, v_job.relid);
end
$$;

comment on function arcano_api.queue_position(arcano.job.id%type, text) is
  'How many jobs are ahead of job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone), plus one, counted now; null: it is not in the queue.';

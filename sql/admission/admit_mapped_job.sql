-- What create_job does in a mapped table: as admit_job, but that it knows a retry by its id alone.
create or replace function arcano.admit_mapped_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_data jsonb,
  p_request_key text,
  out created boolean,
  out job_id arcano.job.id%type,
  out active_table text,
  out active_job_id arcano.job.id%type,
  out active_status text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s' -- see limit_wait
as $$
declare
  m arcano.mapping;
begin
  created := false;
  select x.* into strict m from arcano.mapping x where x.relid = p_table;
  perform arcano.lock_user(p_user_id, 'a job cannot be admitted');
  perform arcano.refuse_mapped_create(m, p_job_id, p_user_id, p_data, p_request_key);
  if p_job_id is not null then
    select k.active_table, k.active_job_id, k.active_status into active_table, active_job_id, active_status
      from arcano.known_job(p_table, p_job_id, p_user_id, p_data, null) k;
    if active_job_id is not null then
      job_id := active_job_id;
      return;
    end if;
  end if;
  select c.active_table, c.active_job_id, c.active_status into active_table, active_job_id, active_status
    from arcano.heal_and_find_active_job(p_user_id, true) c;
  if active_job_id is not null then
    return;
  end if;
  job_id := arcano.insert_mapped_job(m, p_job_id, p_user_id, p_session_id, p_data);
  created := true;
  perform arcano.note_alive();
end
$$;

comment on function arcano.admit_mapped_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb, text) is
  'Internal: create_job in the mapped p_table.';

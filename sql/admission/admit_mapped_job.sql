-- What create_job does in a mapped table: as admit_job, but that it knows a retry by its id alone.
create or replace function arcano.admit_mapped_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type,
  p_data jsonb,
  p_request_key text,
  p_since timestamptz,
  p_lock_timeout interval,
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
  v_waits_since timestamptz := p_since;
  v_made record;
  v_error text;
  v_detail text;
begin
  created := false;
  perform arcano.limit_wait(p_since, p_lock_timeout);
  select x.* into strict m from arcano.mapping x where x.relid = p_table;
  perform arcano.lock_user(p_user_id, 'a job cannot be admitted', p_since, p_lock_timeout);
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
  perform arcano.limit_wait(p_since, p_lock_timeout); -- healing may have waited as well
  v_waits_since := clock_timestamp();
  v_made := arcano.insert_mapped_job(m, p_job_id, p_user_id, p_session_id, p_data);
  job_id := v_made.job_id;
  perform arcano.refuse_made_job(p_table, coalesce(p_job_id, job_id), p_user_id, job_id, v_made.user_id);
  created := true;
  perform arcano.note_alive();
exception
  when lock_not_available then
    get stacked diagnostics v_error = message_text, v_detail = pg_exception_detail;
    if v_detail <> '' then -- the lock of the user
      raise;
    end if;
    perform arcano.refuse_wait(p_table, p_since, v_waits_since, v_error);
end
$$;

comment on function arcano.admit_mapped_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb, text, timestamptz, interval) is
  'Internal: create_job in the mapped p_table. p_since, p_lock_timeout: as for admit_job.';

-- The job that an earlier call of the same request made: known by its request key, or by its id. An id of somebody else's
-- job is refused.
create or replace function arcano.known_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_data jsonb,
  p_request_key text,
  out active_table text,
  out active_job_id arcano.job.id%type,
  out active_status text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_request arcano.request%rowtype;
  v_relid oid;
  v_user_id arcano.job.user_id%type;
begin
  if p_request_key is not null then
    v_request := arcano.find_request(p_user_id, p_request_key, p_table, p_job_id, p_data);
  end if;
  if v_request.job_id is not null then
    v_relid := v_request.job_table;
    active_job_id := v_request.job_id;
  else
    -- With numbers, each table may have its own job of this id.
    select j.relid, j.user_id into v_relid, v_user_id
      from (
        select a.tableoid as relid, a.user_id from arcano.job a where a.id = p_job_id
         union all
        select m.relid, m.user_id from arcano.generated_jobs_by_id(p_job_id) m where (select arcano.generated_has_tables())
      ) j
     where j.relid = p_table or not arcano.ids_are_numbers()
     order by j.relid = p_table desc
     limit 1;
    if not found then
      return;
    end if;
    if v_user_id is distinct from p_user_id or v_relid <> p_table then
      raise exception 'there is another job with the id %', p_job_id
        using errcode = 'unique_violation',
          detail = case when v_user_id is distinct from p_user_id
            then 'It belongs to another user.' else format('It is in %s.', v_relid::regclass) end,
          hint = 'Make a new id for every job, and use it again only to repeat the same call.';
    end if;
    active_job_id := p_job_id;
    if p_request_key is not null then
      perform arcano.keep_request(p_user_id, p_request_key, p_table, p_job_id, p_data);
    end if;
  end if;

  active_table := arcano.table_name(v_relid);
  -- Not of another row that has the id by now.
  select j.status into active_status
    from arcano.job j
   where j.id = active_job_id and j.tableoid = v_relid
     and case when j.user_id = p_user_id then arcano.is_about(v_request.created_at, j.created_at) end;
  if not found and arcano.generated_has_tables() then
    select m.status into active_status
      from arcano.generated_jobs_by_id(active_job_id) m
     where m.relid = v_relid and m.user_id = p_user_id;
  end if;
end
$$;

comment on function arcano.known_job(regclass, arcano.job.id%type, arcano.job.user_id%type, jsonb, text) is
  'Internal: the job that a call of create_job with these arguments made before (all null: none did; active_status null: its row is gone); raises if p_job_id or p_request_key is of another.';

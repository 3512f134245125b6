-- Admission and insert in one: the job is made only if no other job is in the user's way. Upload first, call this
-- second. A retry after a lost answer, with the same id or the same request key, answers that same job and changes
-- nothing. Waits for nothing but the same user's other create_job, and for that not long.
create or replace function arcano.create_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type default null,
  p_data jsonb default '{}',
  p_request_key text default null,
  out created boolean,
  out job_id arcano.job.id%type,
  out active_table text,
  out active_job_id arcano.job.id%type,
  out active_status text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_made arcano.job_ref;
  v_request arcano.request%rowtype;
  v_relid oid;
  v_user_id arcano.job.user_id%type;
  v_attached boolean;
  v_known boolean;
  v_busy boolean;
  v_columns text[];
  v_blocked boolean;
begin
  created := false;
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'It is the user whose job it is.';
  end if;
  perform arcano.lock_user(p_user_id, 'a job cannot be admitted');

  -- Most ids are new, and most users free: for them this one statement decides. Half attached is not attached.
  select exists (select from arcano.job_table t where t.job_table = p_table)
           and exists (select from pg_inherits h where h.inhrelid = p_table and h.inhparent = 'arcano.job'::regclass),
         exists (select from arcano.job j where j.id = p_job_id),
         exists (select from arcano.job j where j.user_id = p_user_id and arcano.is_open(j.status))
    into v_attached, v_known, v_busy;
  if not v_attached then
    perform arcano.refuse_unattached(p_table);
  end if;
  if p_data is distinct from '{}' then
    v_columns := arcano.create_job_columns(p_table, p_data);
  end if;

  if p_request_key is not null then
    v_request := arcano.find_request(p_user_id, p_request_key, p_table, p_job_id, p_data);
    v_made := (v_request.job_table::oid, v_request.job_id);
  end if;
  if v_known and v_made.id is null then
    -- With numbers, each table may have its own job of this id.
    select j.tableoid, j.user_id into v_relid, v_user_id
      from arcano.job j
     where j.id = p_job_id and (j.tableoid = p_table or not arcano.ids_are_numbers())
     order by j.tableoid = p_table desc
     limit 1;
    if found then
      if v_user_id is distinct from p_user_id or v_relid <> p_table then
        raise exception 'there is another job with the id %', p_job_id
          using errcode = 'unique_violation',
            detail = case when v_user_id is distinct from p_user_id
              then 'It belongs to another user.' else format('It is in %s.', v_relid::regclass) end,
            hint = 'Make a new id for every job, and use it again only to repeat the same call.';
      end if;
      v_made := (p_table, p_job_id);
      if p_request_key is not null then
        perform arcano.keep_request(p_user_id, p_request_key, p_table, p_job_id, p_data);
      end if;
    end if;
  end if;
  if v_made.id is not null then
    job_id := v_made.id;
    active_table := arcano.table_name(v_made.relid);
    active_job_id := v_made.id;
    -- Not of another row that has the id by now.
    select j.status into active_status
      from arcano.job j
     where j.id = v_made.id and j.tableoid = v_made.relid
       and case when j.user_id = p_user_id then (j.created_at > v_request.created_at) is not true end;
    return;
  end if;

  if v_busy then
    select c.active_table, c.active_job_id, c.active_status, c.has_active_job
      into active_table, active_job_id, active_status, v_blocked
      from arcano.heal_and_find_active_job(p_user_id) c;
    if v_blocked then
      return;
    end if;
  end if;

  job_id := arcano.insert_job(p_table, p_job_id, p_user_id, p_session_id, v_columns, p_data);
  created := true;
  if p_request_key is not null then
    perform arcano.keep_request(p_user_id, p_request_key, p_table, job_id, p_data);
  end if;
end
$$;

comment on function arcano.create_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb, text) is
  'Makes job p_job_id (an id that the client made; null: the table''s own default gives it) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again, with the same id or the same p_request_key: created is false, and active_* the job itself (active_status null: its row is gone). p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for, kept for a day. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a key that was used with another table, id or data, a transaction that is not read committed.';

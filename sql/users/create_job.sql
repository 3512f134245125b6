-- Admission and insert in one: the job is made only if no other job is in the user's way. Upload first,
-- call this second. The same id again (a retry after a lost answer) answers that same job and changes
-- nothing. Waits for nothing but the same user's other create_job, for as long as its transaction.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.create_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_session_id arcano.job.session_id%type default null,
  p_data jsonb default '{}',
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
  v_relid oid;
  v_user_id arcano.job.user_id%type;
  v_attached boolean;
  v_known boolean;
  v_busy boolean;
  v_columns text[];
  v_blocked boolean;
begin
  if p_job_id is null or p_user_id is null then
    raise exception '% must not be null', case when p_job_id is null then 'p_job_id' else 'p_user_id' end
      using errcode = 'null_value_not_allowed',
        hint = 'The client makes the id of a job, such as with crypto.randomUUID(); the user is whose job it is.';
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

  if v_known then
    select j.tableoid, j.user_id, j.status into v_relid, v_user_id, active_status
      from arcano.job j
     where j.id = p_job_id;
    if found then
      if v_user_id is distinct from p_user_id or v_relid <> p_table then
        raise exception 'there is another job with the id %', p_job_id
          using errcode = 'unique_violation',
            detail = case when v_user_id is distinct from p_user_id
              then 'It belongs to another user.' else format('It is in %s.', v_relid::regclass) end,
            hint = 'Make a new id for every job, and use it again only to repeat the same call.';
      end if;
      created := false;
      job_id := p_job_id;
      active_table := arcano.table_name(v_relid);
      active_job_id := p_job_id;
      return;
    end if;
  end if;

  if v_busy then
    select c.active_table, c.active_job_id, c.active_status, c.has_active_job
      into active_table, active_job_id, active_status, v_blocked
      from arcano.heal_and_find_active_job(p_user_id) c;
    if v_blocked then
      created := false;
      return;
    end if;
  end if;

  if v_columns is null then
    execute format('insert into %s (id, user_id, session_id, status, created_at) values ($1, $2, $3, $4, $5)', p_table)
      using p_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp();
  else
    begin
      execute format(
        'insert into %1$s (id, user_id, session_id, status, created_at, %2$s) select $1, $2, $3, $4, $5, %3$s from jsonb_populate_record(null::%1$s, $6) r',
        p_table, array_to_string(v_columns, ', '), 'r.' || array_to_string(v_columns, ', r.'))
        using p_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp(), p_data;
    exception
      when data_exception then
        perform arcano.refuse_values(p_table, p_data);
        raise;
    end;
  end if;
  created := true;
  job_id := p_job_id;
end
$$;

comment on function arcano.create_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb) is
  'Makes job p_job_id (an id that the client made) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a transaction that is not read committed.';

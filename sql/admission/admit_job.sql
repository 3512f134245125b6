-- What create_job does: locks the user, knows a retry, looks for a job in the way, and inserts. All of that may have to
-- wait: for the same user's other create_job, for a row that the new one refers to, for another of the same id that is not
-- committed, for a table that is being altered. It waits for none of them after longest_wait; what is set for that ends
-- with this function.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.admit_job(
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
set lock_timeout = '5s'
as $$
declare
  v_attached boolean;
  v_known boolean;
  v_busy boolean;
  v_columns text[];
  v_longest_wait interval;
  v_waits_since timestamptz := p_since;
  v_made_user_id arcano.job.user_id%type;
  v_error text;
  v_detail text;
begin
  created := false;
  -- Until the settings have been read, and mostly afterwards, this function's own limit is right.
  if p_lock_timeout between '1 millisecond' and '5 seconds' then
    perform arcano.set_lock_timeout(p_lock_timeout);
  end if;
  v_longest_wait := arcano.lock_user(p_user_id, 'a job cannot be admitted', p_since, p_lock_timeout);
  if not arcano.is_usual_wait(v_longest_wait, p_lock_timeout, p_since) then
    perform arcano.limit_wait(p_since, p_lock_timeout);
  end if;

  -- Most ids are new, and most users free: for them this one statement decides. Half attached is not attached.
  select exists (select from arcano.job_table t where t.job_table = p_table)
           and exists (select from pg_inherits h where h.inhrelid = p_table and h.inhparent = 'arcano.job'::regclass),
         exists (select from arcano.job j where j.id = p_job_id),
         exists (select from arcano.job j where j.user_id = p_user_id and arcano.is_open(j.status) and arcano.are_as_attached()) or arcano.generated_is_busy(p_user_id)
    into v_attached, v_known, v_busy;
  if not v_attached then
    perform arcano.refuse_unattached(p_table);
  end if;
  v_columns := case when p_data is distinct from '{}' then arcano.create_job_columns(p_table, p_data) end;

  if v_known or p_request_key is not null then
    select k.active_table, k.active_job_id, k.active_status into active_table, active_job_id, active_status
      from arcano.known_job(p_table, p_job_id, p_user_id, p_data, p_request_key) k;
    if active_job_id is not null then
      job_id := active_job_id;
      return;
    end if;
  end if;

  if v_busy then
    select c.active_table, c.active_job_id, c.active_status into active_table, active_job_id, active_status
      from arcano.heal_and_find_active_job(p_user_id, true) c;
    if active_job_id is not null then
      return;
    end if;
    perform arcano.limit_wait(p_since, p_lock_timeout); -- healing may have waited as well
  end if;

  v_waits_since := clock_timestamp();
  execute arcano.insert_statement(p_table, p_job_id is null, v_columns)
    into job_id, v_made_user_id using p_user_id, p_session_id, v_waits_since, p_job_id, p_data;
  -- The app's own triggers, rules and defaults may have made something else of it, or another job besides.
  if job_id is distinct from coalesce(p_job_id, job_id) or v_made_user_id is distinct from p_user_id or exists (
    select from arcano.job j
     where j.user_id = p_user_id and arcano.is_open(j.status) and (j.tableoid, j.id) is distinct from (p_table::oid, job_id)
  ) or arcano.generated_is_busy(p_user_id) or exists (select from pg_trigger t where t.tgrelid = p_table and not t.tgisinternal)
    or exists (select from pg_rewrite w where w.ev_class = p_table) then
    perform arcano.refuse_made_job(p_table, p_job_id, p_user_id, job_id, v_made_user_id);
  end if;
  created := true;
  perform arcano.note_alive();
  if p_request_key is not null then
    perform arcano.keep_request(p_user_id, p_request_key, p_table, job_id, p_data);
  end if;
exception
  when lock_not_available then
    get stacked diagnostics v_error = message_text, v_detail = pg_exception_detail;
    if v_detail <> '' then -- the lock of the user
      raise;
    end if;
    perform arcano.refuse_wait(p_table, p_since, v_waits_since, v_error);
  when data_exception then
    if v_columns is not null then
      perform arcano.refuse_values(p_table, p_data);
    end if;
    raise;
end
$$;

comment on function arcano.admit_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb, text, timestamptz, interval) is
  'Internal: create_job. p_since: since when the caller waits. p_lock_timeout: the caller''s own.';

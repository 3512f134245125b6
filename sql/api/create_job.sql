-- A new job of the user who calls. As arcano.create_job; but a table is named by text, and p_data may give only what
-- the table's settings allow to users.
create or replace function arcano_api.create_job(
  p_table text,
  p_job_id arcano.job.id%type default null,
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
  v_began constant timestamptz := clock_timestamp();
  v_lock_timeout constant interval := current_setting('lock_timeout');
  v_request record;
  v_any_mapped constant boolean := arcano.generated_has_tables();
begin
  -- An end user is not told to admit what cannot be read.
  if v_any_mapped then
    perform set_config('arcano.unread', '', true);
    perform arcano.refuse_unreadable_tables(false);
  end if;
  v_request := arcano.own_request(p_table, p_job_id, p_data, v_began, v_lock_timeout);
  select c.* into created, job_id, active_table, active_job_id, active_status
    from arcano.admit_job(
      v_request.relid, p_job_id, v_request.caller_id, p_session_id, p_data, p_request_key, v_began, v_lock_timeout) c;
  if v_any_mapped and created and current_setting('arcano.unread', true) <> '' then
    perform arcano.refuse_unreadable_tables(false);
  end if;
end
$$;

comment on function arcano_api.create_job(text, arcano.job.id%type, text, jsonb, text) is
  'Makes a job of the user who calls in the attached table p_table, unless another job is in the way: then created is false, job_id null, and active_* that job. p_job_id: an id that the client made, where ids are uuids, or text of the form that id_form of the table says; null, and always where they are numbers: the table gives it, and job_id is it. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for. The same call again, with the same id or key: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the columns that user_columns of the table allows. Errors: null, a table that is not attached or not open to users (its user_columns are null), a column that may not be given, a value of the wrong type, an id of another job or one that may not be chosen, a key of another request, a transaction that is not read committed.';

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
  v_user_id constant arcano.job.user_id%type := arcano.caller_id();
  v_table constant regclass := arcano.named_table(p_table);
begin
  perform arcano.refuse_user_data(v_table, p_data);
  perform arcano.refuse_chosen_id(v_table, p_job_id);
  if exists (
    select from arcano.job j where j.id = p_job_id and case when j.user_id is distinct from v_user_id then true end
  ) then
    perform arcano.refuse_job_of_others(p_job_id);
  end if;
  select c.* into created, job_id, active_table, active_job_id, active_status
    from arcano.create_job(v_table, p_job_id, v_user_id, p_session_id, p_data, p_request_key) c;
end
$$;

comment on function arcano_api.create_job(text, arcano.job.id%type, text, jsonb, text) is
  'Makes a job of the user who calls in the attached table p_table, unless another job is in the way: then created is false, job_id null, and active_* that job. p_job_id: an id that the client made, where ids are uuids, or text of the form that id_form of the table says; null, and always where they are numbers: the table gives it, and job_id is it. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for. The same call again, with the same id or key: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the columns that user_columns of the table allows. Errors: null, a table that is not attached, a column that may not be given, a value of the wrong type, an id of another job or one that may not be chosen, a key of another request, a transaction that is not read committed.';

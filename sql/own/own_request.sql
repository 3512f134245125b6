-- What a user asks for with create_job: who that is, in which table; and that they may. It waits for no longer than
-- create_job itself does; what is set for that ends with this function.
create or replace function arcano.own_request(
  p_table text,
  p_job_id arcano.job.id%type,
  p_data jsonb,
  p_since timestamptz,
  p_lock_timeout interval,
  out caller_id arcano.job.user_id%type,
  out relid regclass
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
declare
  v_error text;
begin
  perform arcano.limit_wait(p_since, p_lock_timeout);
  caller_id := arcano.caller_id();
  relid := arcano.open_table(p_table)::regclass;
  perform arcano.refuse_user_data(relid, p_data);
  perform arcano.refuse_chosen_id(relid, p_job_id);
  if p_job_id is not null and exists (
    select from arcano.job j where j.id = p_job_id and case when j.user_id is distinct from caller_id then true end
  ) then
    perform arcano.refuse_job_of_others(p_job_id);
  end if;
exception
  when lock_not_available then
    get stacked diagnostics v_error = message_text;
    perform arcano.refuse_wait(relid, p_since, p_since, v_error);
end
$$;

comment on function arcano.own_request(text, arcano.job.id%type, jsonb, timestamptz, interval) is
  'Internal: the user who calls, and the attached table p_table; raises if that user may not make the job p_job_id with p_data in it. p_since: since when the caller waits. p_lock_timeout: the caller''s own.';

-- Admission and insert in one: the job is made only if no other job is in the user's way. Upload first, call this
-- second. A retry after a lost answer, with the same id or the same request key, answers that same job and changes
-- nothing. It waits for the same user's other create_job, and for whatever an insert into the table waits for, and for
-- neither long.
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
  v_is_mapped boolean := false;
  v_any_mapped constant boolean := arcano.generated_has_tables();
  v_lock_timeout constant interval := current_setting('lock_timeout');
  v_answer record;
begin
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'It is the user whose job it is.';
  end if;
  if v_any_mapped then
    -- One that was swapped, or restored from a dump, is known again.
    perform arcano.remap_strange_table(p_table);
    perform set_config('arcano.unread', '', true); -- of an earlier call
    perform arcano.refuse_unreadable_tables();
    v_is_mapped := arcano.is_mapped(p_table);
  end if;
  -- An assignment, and not a query: that is cheaper.
  if v_is_mapped then
    v_answer := arcano.admit_mapped_job(p_table, p_job_id, p_user_id, p_session_id, p_data, p_request_key, clock_timestamp(), v_lock_timeout);
  else
    v_answer := arcano.admit_job(
      p_table, p_job_id, p_user_id, p_session_id, p_data, p_request_key, clock_timestamp(), v_lock_timeout);
  end if;
  if v_any_mapped and v_answer.created and current_setting('arcano.unread', true) <> '' then
    perform arcano.refuse_unreadable_tables();
  end if;
  created := v_answer.created;
  job_id := v_answer.job_id;
  active_table := v_answer.active_table;
  active_job_id := v_answer.active_job_id;
  active_status := v_answer.active_status;
end
$$;

comment on function arcano.create_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb, text) is
  'Makes job p_job_id (an id that the client made; null: the table''s own default gives it) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again, with the same id or the same p_request_key: created is false, and active_* the job itself (active_status null: its row is gone). p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. p_request_key: a text of 1 to 200 characters that the client makes for each job it asks for, kept for a day. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a key that was used with another table, id or data, a transaction that is not read committed, a wait of more than longest_wait (55P03, and who is in the way).';

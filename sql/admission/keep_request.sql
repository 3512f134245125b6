-- Notes which job a key made; a key of more than a day ago is free again. The caller holds the lock of the user.
create or replace function arcano.keep_request(
  p_user_id arcano.job.user_id%type,
  p_request_key text,
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_data jsonb
)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.request as r (user_id, request_key, job_table, job_id, data)
  values (p_user_id, p_request_key, p_table, p_job_id, p_data)
  on conflict (user_id, request_key) do update
     set job_table = excluded.job_table, job_id = excluded.job_id, data = excluded.data,
         created_at = excluded.created_at;
end
$$;

comment on function arcano.keep_request(arcano.job.user_id%type, text, regclass, arcano.job.id%type, jsonb) is
  'Internal: notes that p_request_key of user p_user_id made job p_job_id of p_table with p_data.';

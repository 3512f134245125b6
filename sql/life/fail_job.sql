-- finish_job for a failure, which always has a reason.
create or replace function arcano.fail_job(
  p_job_id arcano.job.id%type,
  p_reason text,
  p_attempt integer default null,
  p_table regclass default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_reason is null then
    raise exception 'p_reason must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Say why the job failed; it becomes the job''s error_message.';
  end if;
  select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
    from arcano.finish_job(p_job_id, 'failed', p_reason, p_attempt, p_table) f;
end
$$;

comment on function arcano.fail_job(arcano.job.id%type, text, integer, regclass) is
  'Ends job p_job_id of p_table as failed, with p_reason as its error_message. Otherwise as finish_job.';

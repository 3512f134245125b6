-- Is there a job in the way of the user who calls? As arcano.check_user_active.
create or replace function arcano_api.check_user_active(
  out has_active_job boolean,
  out active_tool text,
  out active_table text,
  out active_status text,
  out active_job_id arcano.job.id%type,
  out created_at timestamptz,
  out started_at timestamptz,
  out "position" integer,
  out heals_at timestamptz,
  out healed integer,
  out silent_since timestamptz
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  select c.* into has_active_job, active_tool, active_table, active_status, active_job_id, created_at, started_at,
         "position", heals_at, healed, silent_since
    from arcano.check_user_active(arcano.caller_id()) c;
end
$$;

comment on function arcano_api.check_user_active() is
  'Heals the orphans of the user who calls, then answers in exactly one row whether a job is in their way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled. silent_since: the job is worked on, and without a sign of life since then, an hour ago or longer; null: else. An error (42501) if it is not known who calls.';

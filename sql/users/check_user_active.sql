-- Is there a job in this user's way? Ghosts are healed first and never counted, not even where
-- healing cannot be written (a read-only transaction, a standby, a serialization failure) or the
-- app's own trigger or constraint vetoes it. The one exception: a ghost whose row somebody holds
-- locked counts, because somebody is working on it. Waits for no row's lock.
--
-- Most users have no active job: for them the first statement is the whole call.
create or replace function arcano.check_user_active(
  p_user_id arcano.job.user_id%type,
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
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Pass the id of the user who wants to start a job.';
  end if;

  healed := 0;
  perform from arcano.job j where j.user_id = p_user_id and arcano.is_open(j.status) and arcano.are_as_attached();
  has_active_job := found or arcano.generated_is_busy(p_user_id);
  if not has_active_job then
    return;
  end if;
  select f.* into has_active_job, active_tool, active_table, active_status, active_job_id, created_at, started_at,
         "position", heals_at, healed, silent_since
    from arcano.heal_and_find_active_job(p_user_id, false) f;
end
$$;

comment on function arcano.check_user_active(arcano.job.user_id%type) is
  'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rules would free the user, or put back a job that was claimed, if nothing more happens, null: never. healed: how many orphans this call cancelled. silent_since: the job is worked on, and nobody has given a sign of life of it since then, an hour ago or longer, and no limit ends it; null: else.';

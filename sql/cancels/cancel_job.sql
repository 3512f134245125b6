-- Cancels one job: a waiting one freely, a working one only if the caller insists, because a provider may
-- go on with it and charge for it. Waits for no row's lock.
-- A job that the rule has ended already stays ended, whoever comes late for it.
create or replace function arcano.cancel_job(
  p_job_id arcano.job.id%type,
  p_force boolean default false,
  p_reason text default null,
  p_table regclass default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out refunded boolean
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref arcano.job_ref;
  v_job record;
  v_error text;
  v_why text;
begin
  changed := false;
  refunded := false;
  if arcano.generated_has_tables() then
    perform arcano.remap_strange_table(p_table);
    perform arcano.remap_strange_table(j.relid) from arcano.generated_jobs_by_id(p_job_id) j;
  end if;
  v_ref := arcano.named_any_job(p_job_id, p_table);
  if arcano.generated_has_tables() and arcano.is_mapped(v_ref.relid) then
    select c.* into changed, status, attempt, note from arcano.cancel_mapped_job(v_ref, p_force, p_reason) c;
    return;
  end if;
  select j.status, j.api_account into v_job from arcano.job j where j.id = v_ref.id and j.tableoid = v_ref.relid;
  if arcano.is_waiting(v_job.status) or p_force and arcano.is_working(v_job.status) then
    select e.error into v_error
      from arcano.end_jobs(
        array[v_ref], 'cancel_job',
        case when arcano.is_waiting(v_job.status) then 'waiting' else 'forced' end,
        coalesce(p_reason, 'Cancelled'),
        p_alone => arcano.is_alone()
      ) e;
    changed := found and v_error is null;
    v_why := coalesce(v_error, 'somebody is changing this job at this moment: try again');
  elsif arcano.is_working(v_job.status) then
    v_why := format('it is %s: p_force cancels it all the same', v_job.status);
  elsif not arcano.note_late_cancel(v_ref, 'cancel_job', coalesce(p_reason, 'Cancelled')) then
    v_why := 'somebody is changing this job at this moment: try again';
  end if;

  select u.status, u.attempt, coalesce(v_why, u.note) into status, attempt, note from arcano.unchanged_job(v_ref) u;
  if changed then
    note := null;
  end if;
  refunded := changed and exists (
    select from arcano.job j where j.id = v_ref.id and j.tableoid = v_ref.relid and j.credits_refunded
  );
  if changed and v_job.api_account is not null then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.cancel_job(arcano.job.id%type, boolean, text, regclass) is
  'Cancels job p_job_id of p_table if it waits, or with p_force also if it is being worked on (then without a refund, unless its table says so), with p_reason as its error_message. changed is false, and note says why, for a job that works, has ended, is not there, or is being changed at this moment. Of a mapped table nothing is refunded: note says so for a job that was charged.';

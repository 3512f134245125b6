-- What cancel_job does with a job of a mapped table.
create or replace function arcano.cancel_mapped_job(
  p_job arcano.job_ref,
  p_force boolean,
  p_reason text,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_charged boolean;
  v_error text;
begin
  changed := false;
  attempt := 0;
  select j.status, j.is_waiting, j.is_working into v_job from arcano.generated_jobs_by_id(p_job.id) j where j.relid = p_job.relid;
  status := v_job.status;
  if v_job.is_waiting or p_force and v_job.is_working then
    v_charged := (select arcano.is_charged(r.credits_charged, r.user_credit_cost) from arcano.mapped_row(p_job) r);
    select e.error into v_error
      from arcano.end_mapped_jobs(
        array[p_job], 'cancel_job', case when v_job.is_waiting then 'waiting' else 'forced' end, coalesce(p_reason, 'Cancelled'), p_alone => arcano.is_alone()) e;
    changed := found and v_error is null;
    note := case
      when not changed then coalesce(v_error, 'somebody is changing this job at this moment: try again')
      when v_charged then 'what was charged for it is not given back: its table is mapped'
    end;
    status := (select j.status from arcano.generated_jobs_by_id(p_job.id) j where j.relid = p_job.relid);
  elsif v_job.is_working then
    note := format('it is %s: p_force cancels it all the same', status);
  else
    note := coalesce('already ' || status, 'no such job');
  end if;
end
$$;

comment on function arcano.cancel_mapped_job(arcano.job_ref, boolean, text) is
  'Internal: as cancel_job, of p_job of a mapped table.';

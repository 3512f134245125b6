-- What touch_job promises of a job that is open, for who has many, or holds what revive_job would have to wait for.
create or replace function arcano.touch_open_job(
  p_job arcano.job_ref,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refusal text;
begin
  changed := false;
  v_refusal := arcano.readmit_orphan(p_job, 'an orphan cannot be brought back');
  if v_refusal is null then
    update arcano.job j
       set heartbeat_at = clock_timestamp()
     where j.id = p_job.id
       and j.tableoid = p_job.relid
       and case when arcano.is_open(j.status) then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
  end if;
  if not changed then
    select u.status, u.attempt, coalesce(v_refusal, u.note) into status, attempt, note
      from arcano.unchanged_job(p_job) u;
  end if;
end
$$;

comment on function arcano.touch_open_job(arcano.job_ref) is
  'Internal: as touch_job, of p_job if it is open.';

-- A sign of life of a user's own job that waits, such as while its file is being uploaded. Of one that is worked on only
-- its worker knows: a page that is open must not make a dead one look alive.
create or replace function arcano_api.touch_job(
  p_job_id arcano.job.id%type,
  p_table text default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job constant arcano.job_ref := arcano.own_job(p_job_id, p_table);
begin
  if arcano.generated_has_tables() and arcano.is_mapped(v_job.relid) then
    changed := false;
    select m.status into status from arcano.generated_jobs_by_id(v_job.id) m where m.relid = v_job.relid;
    note := 'its table is mapped: the app writes its own signs of life';
    return;
  end if;
  select j.status, coalesce(j.attempt, 0) into status, attempt
    from arcano.job j where j.id = v_job.id and j.tableoid = v_job.relid;
  if arcano.is_working(status) then
    changed := false;
    note := format('it is %s: its worker gives signs of life', status);
    return;
  end if;
  select t.* into changed, status, attempt, note from arcano.touch_job(v_job.id, v_job.relid) t;
end
$$;

comment on function arcano_api.touch_job(arcano.job.id%type, text) is
  'Sets heartbeat_at of the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone). A job that is worked on, or has ended: changed is false, and note says why.';

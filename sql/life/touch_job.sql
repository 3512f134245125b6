-- A sign of life from a slow client or a worker. The orphan rule lets it protect a waiting job for no
-- longer than the table's touch_limit. For as long, it brings a job back that the rule healed meanwhile, if its user has not
-- gone on.
create or replace function arcano.touch_job(
  p_job_id arcano.job.id%type,
  p_table regclass default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
begin
  select t.* into changed, status, attempt, note from arcano.touch_open_job(v_ref) t;
  if not changed and status = 'cancelled' then
    select r.* into changed, status, attempt, note from arcano.revive_job(v_ref, 'touch_job', null, null) r;
  end if;
end
$$;

comment on function arcano.touch_job(arcano.job.id%type, regclass) is
  'Sets heartbeat_at of the waiting or working job p_job_id of p_table (null: of the one table that has the id). One that the orphan rule healed waits again (note: revived) if its user has no other active job and its touch_limit has not passed. A job that has ended otherwise, or is not there: changed is false, and note says why.';

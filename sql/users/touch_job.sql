-- A sign of life from a slow client or a worker. The orphan rule lets it protect a waiting job for no
-- longer than the table's touch_limit.
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
  v_refusal text;
begin
  changed := false;
  v_refusal := arcano.readmit_orphan(v_ref, 'an orphan cannot be brought back');
  if v_refusal is null then
    update arcano.job j
       set heartbeat_at = clock_timestamp()
     where j.id = v_ref.id
       and j.tableoid = v_ref.relid
       and case when arcano.is_open(j.status) then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
  end if;
  if not changed then
    select u.status, u.attempt, coalesce(v_refusal, u.note) into status, attempt, note
      from arcano.unchanged_job(v_ref) u;
  end if;
end
$$;

comment on function arcano.touch_job(arcano.job.id%type, regclass) is
  'Sets heartbeat_at of the waiting or working job p_job_id of p_table (null: of the one table that has the id). A job that has ended, or is not there: changed is false, and note says why.';

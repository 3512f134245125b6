-- What the rows of a table say of its mapping: whether its dates can be in the zone that was given, whether ids are spelled in one
-- way, how many jobs would be ended, and whether the app's own triggers and checks let one be ended: tried, and rolled back.
--
-- Dynamic, because the table's own columns are read.
create or replace function arcano.mapping_row_findings(
  p_mapping arcano.mapping,
  p_force boolean,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_newest timestamptz;
  v_job_id arcano.job.id%type;
  v_status text;
  v_ended arcano.job_ref[];
begin
  execute format('select greatest((select max(r.created_at) from (%s) r), (select max(%s) from %s t))', arcano.mapped_rows(p_mapping, 'open'),
    arcano.mapped_expression(p_mapping, 'created_at'), arcano.newest_rows(p_mapping.relid, p_mapping.name)) into v_newest;
  if v_newest > now() + interval '1 minute' then
    return query select 'error', 'p_time_zone', format('its newest job is from %s, which is still to come', v_newest),
      'The zone is another one, or the clock that wrote it was ahead.';
    return;
  elsif arcano.is_zone_doubtful(v_newest) and p_mapping.time_zone is not null then
    return query select case when p_force then 'warning' else 'error' end, 'p_time_zone', format('its newest job would be from %s, and a job that was just made might be a ghost', v_newest),
      'The zone is another one; or the app has made none since: p_force.';
    if not p_force then
      return;
    end if;
  end if;

  -- One that waits, if there is one: as the mapping would have it, which is undone.
  execute format('select r.id, r.status from (%s) r order by arcano.is_waiting(r.status) desc limit 1', arcano.mapped_rows(p_mapping, 'open')) into v_job_id, v_status;
  if v_job_id is null then
    return query select 'note', 'ending a job', 'not tried: there is no open one', null::text;
    return;
  end if;
  begin
    delete from arcano.mapping m where m.name = p_mapping.name or m.relid = p_mapping.relid;
    insert into arcano.mapping select p_mapping.*;
    v_ended := arcano.end_mapped_at_once(
      array[(p_mapping.relid, v_job_id)::arcano.job_ref], 'cancel_job', case when arcano.is_waiting(v_status) then 'waiting' else 'forced' end,
      null, clock_timestamp(), current_setting('lock_timeout')::interval, true);
    if v_ended is null then
      return query select 'note', 'ending a job', format('not tried on job %s: somebody holds it', v_job_id), null::text;
    end if;
    raise exception 'rolled back' using errcode = 'AR001';
  exception
    when sqlstate 'AR001' then
      if v_ended is not null then
        return query select 'ok', 'ending a job', format('tried on job %s, and rolled back: nothing of the app is in the way', v_job_id), null::text;
      end if;
    when insufficient_privilege or undefined_column or datatype_mismatch then
      return query select 'error', 'ending a job', format('tried on job %s: %s: %s', v_job_id, sqlstate, sqlerrm), 'The role that migrated must be able to write status, and what else is mapped.';
    when others or assert_failure then
      return query select 'warning', 'ending a job', format('tried on job %s: %s: %s', v_job_id, sqlstate, sqlerrm),
        concat(arcano.refusal_hint(p_mapping.relid, 'cancel_job', sqlstate), case when sqlstate !~ '^42' then ' Or name another word in p_writes.' end);
  end;
end
$$;

comment on function arcano.mapping_row_findings(arcano.mapping, boolean) is
  'Internal: what the rows of the table of p_mapping say of it; p_force: a newest job that is hours old, where dates have no zone, is a warning. Changes nothing: what it tries is rolled back.';

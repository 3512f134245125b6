-- Whether the app's own triggers and constraints let a job be ended: tried on it, and rolled back.
--
-- Dynamic, because a table that is not attached is no child of arcano.job yet.
create or replace function arcano.dry_run_end(
  p_table regclass,
  p_job_id arcano.job.id%type,
  out level text,
  out detail text,
  out hint text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_target constant text := case when exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass)
    then 'arcano.job' else 'only ' || p_table end;
  v_rows integer;
begin
  if v_target <> 'arcano.job' and row_security_active(p_table) then -- said already
    level := 'note';
    detail := 'not tried: row level security hides rows from who looks';
    return;
  end if;
  begin
    execute format('select count(*) from (select from only %s where id = $1 for update skip locked) j', p_table)
      into v_rows using p_job_id;
    if v_rows = 0 then
      level := 'note';
      detail := format('not on job %s: somebody holds it', p_job_id);
      return;
    end if;
    -- As the package writes: through the parent, to which the policies of the table do not apply.
    execute format('update %s set %s where id = $1 and tableoid = $2', v_target, (
      select string_agg(format('%I = %s', a.attname,
               case a.attname when 'status' then quote_literal(c.status) when 'completed_at' then 'now()'
                 else quote_literal(c.message) end), ', ')
        from pg_attribute a
        join arcano.end_causes() c on c.cause = 'orphan'
       where a.attrelid = p_table and a.attname in ('status', 'completed_at', 'error_message') and not a.attisdropped
    )) using p_job_id, p_table;
    get diagnostics v_rows = row_count;
    if v_rows = 0 then
      perform arcano.refuse_suppression();
    end if;
    -- Not what a caller has left for its commit, which would run with the rights of this function.
    if v_alone then
      set constraints all immediate;
    end if;
    raise exception 'rolled back' using errcode = 'AR001';
  exception
    when sqlstate 'AR001' then
      level := 'ok';
      detail := format('on job %s: no trigger or constraint of the app is in the way', p_job_id);
    when others or assert_failure then
      level := 'error';
      detail := format('on job %s: %s: %s', p_job_id, sqlstate, sqlerrm);
      hint := arcano.refusal_hint(p_table, 'cancel_job', sqlstate);
  end;
end
$$;

comment on function arcano.dry_run_end(regclass, arcano.job.id%type) is
  'Internal: tries to end job p_job_id of p_table as the rule would, and rolls that back; what came of it.';

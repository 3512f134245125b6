-- Who may call what. Nobody reads or writes arcano.job but the package's own security definer
-- functions: a job table's grants and row level security do not apply to a query on its parent.
revoke all on all functions in schema arcano from public;

do $$
declare
  v_role regrole;
begin
  foreach v_role in array array[to_regrole('arcano_backend'), to_regrole('arcano_operator')] loop
    continue when v_role is null;
    execute format('grant usage on schema arcano to %s', v_role);
    execute format($grant$
      grant execute on function
        arcano.check_user_active(uuid),
        arcano.cancel_session(uuid, text, text),
        arcano.create_job(regclass, uuid, uuid, text, jsonb),
        arcano.touch_job(uuid),
        arcano.start_job(uuid, text),
        arcano.fail_job(uuid, text, integer),
        arcano.finish_job(uuid, text, text, integer)
        to %s
    $grant$, v_role);
  end loop;

  if to_regrole('arcano_operator') is not null then
    grant execute on function arcano.sweep_orphans(integer) to arcano_operator;
    grant select on arcano.active_job, arcano.orphan_job, arcano.job_table, arcano.job_event, arcano.sweep_run
      to arcano_operator;
    -- What the views call is called with the rights of who reads them.
    grant execute on function
      arcano.waiting_statuses(), arcano.working_statuses(), arcano.is_waiting(text), arcano.is_active(text),
      arcano.table_name(oid),
      arcano.heals_at(
        text, text, integer, boolean, integer, boolean, timestamptz, timestamptz, timestamptz, boolean, interval, interval
      )
      to arcano_operator;
  end if;
end
$$;

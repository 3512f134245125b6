-- Who may call what. Nobody reads or writes arcano.job but the package's own security definer
-- functions: a job table's grants and row level security do not apply to a query on its parent.
revoke all on all functions in schema arcano from public;

do $$
begin
  if to_regrole('arcano_backend') is not null then
    grant usage on schema arcano to arcano_backend;
    grant execute on function
      arcano.check_user_active(uuid),
      arcano.cancel_session(uuid, text, text)
      to arcano_backend;
  end if;

  if to_regrole('arcano_operator') is not null then
    grant usage on schema arcano to arcano_operator;
    grant execute on function
      arcano.check_user_active(uuid),
      arcano.cancel_session(uuid, text, text),
      arcano.sweep_orphans(integer)
      to arcano_operator;
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

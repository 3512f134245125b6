-- Who may call what.
revoke all on all functions in schema arcano from public;

-- Default privileges of the database may have given to somebody what is closed, when it was made.
do $$
declare
  r record;
begin
  for r in
    select distinct c.oid::regclass as relation, a.grantee
      from pg_class c cross join lateral aclexplode(c.relacl) a
     where c.oid = any (arcano.closed_relations()) and a.grantee <> c.relowner
  loop
    execute format('revoke all on %s from %s', r.relation,
      case r.grantee when 0 then 'public' else r.grantee::regrole::text end);
  end loop;
end
$$;

-- A type, of a table's rows too, is everybody's by default, and a column of it elsewhere would be in the way
-- of the table's next change.
do $$
begin
  execute (
    select 'revoke all on type ' || string_agg(t.oid::regtype::text, ', ') || ' from public'
      from pg_type t
     where t.typnamespace = 'arcano'::regnamespace and t.typtype = 'c'
  );
end
$$;

do $$
declare
  v_role regrole;
begin
  foreach v_role in array array[to_regrole('arcano_backend'), to_regrole('arcano_operator')] loop
    continue when v_role is null;
    execute format('grant usage on schema arcano to %s', v_role);
    execute format($grant$
      grant execute on function
        arcano.check_user_active(arcano.job.user_id%%type),
        arcano.cancel_session(arcano.job.user_id%%type, text, text),
        arcano.leave_session(arcano.job.user_id%%type, text, timestamptz, text),
        arcano.create_job(regclass, arcano.job.id%%type, arcano.job.user_id%%type, text, jsonb),
        arcano.touch_job(arcano.job.id%%type),
        arcano.start_job(arcano.job.id%%type, text),
        arcano.fail_job(arcano.job.id%%type, text, integer),
        arcano.finish_job(arcano.job.id%%type, text, text, integer),
        arcano.finish_jobs(arcano.job_ids.ids%%type, text, text, integer[]),
        arcano.finish_task(text, text, text),
        arcano.run_or_queue(arcano.job.id%%type, boolean),
        arcano.claim_jobs(integer, arcano.job_ids.ids%%type, integer[]),
        arcano.requeue_job(arcano.job.id%%type, integer),
        arcano.cancel_job(arcano.job.id%%type, boolean, text),
        arcano.queue_position(arcano.job.id%%type),
        arcano.explain_job(arcano.job.id%%type),
        arcano.stalling_jobs(interval, integer)
        to %s
    $grant$, v_role);
  end loop;

  -- Each of these asks who calls, and answers about that user alone.
  if to_regrole('arcano_user') is not null then
    grant usage on schema arcano to arcano_user;
    grant execute on function
      arcano.check_user_active(arcano.job.user_id%type),
      arcano.create_job(regclass, arcano.job.id%type, arcano.job.user_id%type, text, jsonb),
      arcano.touch_job(arcano.job.id%type),
      arcano.cancel_session(arcano.job.user_id%type, text, text),
      arcano.leave_session(arcano.job.user_id%type, text, timestamptz, text),
      arcano.cancel_job(arcano.job.id%type, boolean, text),
      arcano.queue_position(arcano.job.id%type),
      arcano.explain_job(arcano.job.id%type)
      to arcano_user;
  end if;

  if to_regrole('arcano_operator') is not null then
    grant execute on function
      arcano.sweep_orphans(integer),
      arcano.set_job_table(regclass, jsonb),
      arcano.set_account(text, integer, boolean),
      arcano.drop_account(text),
      arcano.keep_positions(boolean),
      arcano.keep_events(interval, interval),
      arcano.set_refund_function(text),
      arcano.set_identity_function(text),
      arcano.settle_refund(bigint, text),
      arcano.restore_job(bigint),
      arcano.check_health(interval)
      to arcano_operator;
    grant select on
      arcano.active_job, arcano.orphan_job, arcano.charged_ghost, arcano.observed_job, arcano.line_job, arcano.queue_status,
      arcano.sweep_status, arcano.metric, arcano.account_status, arcano.refund_due,
      arcano.job_table, arcano.account, arcano.setting, arcano.refund, arcano.task, arcano.job_event, arcano.sweep_run
      to arcano_operator;
    -- What the views call is called with the rights of who reads them.
    grant execute on function
      arcano.waiting_statuses(), arcano.working_statuses(),
      arcano.is_waiting(text), arcano.is_working(text), arcano.is_active(text),
      arcano.table_name(oid),
      arcano.entered_line(integer, boolean),
      arcano.is_in_line(text, integer, boolean),
      arcano.is_charged(boolean, integer),
      arcano.stalls_at(text, timestamptz, timestamptz, interval, interval),
      arcano.heals_at(
        text, text, integer, boolean, integer, boolean, timestamptz, timestamptz, timestamptz, boolean, interval, interval
      )
      to arcano_operator;
  end if;
end
$$;

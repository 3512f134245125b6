-- One batch of the sweep, and a row in arcano.sweep_run. Of all tables, the oldest first and at most p_limit in all:
--
--   * orphans are cancelled;
--   * charged orphans are cancelled and refunded, where their table has a charged_orphan_after;
--   * stalled jobs are failed, where their table has a stall_after;
--   * claims that nobody started are failed and refunded, and go back into the queue where their worker had said that it
--     gives signs of life.
--
-- In tables in observe mode it only journals what it would have ended; trip_breakers puts tables there.
--
-- It also writes places to rows where keep_positions is on, and wakes workers if a slot is free beside a line. Refunds that
-- are due are paid by a sweep that ended nothing: what the app's function does, and however long, holds up no end. Where
-- both are to be done, one sweep does the one, and the next one the other.
--
-- Many may run at once: each takes what no other holds. Never needed for a right answer of check_user_active.
create or replace function arcano.sweep_orphans(
  p_limit integer default 1000,
  p_slow_job_id arcano.job.id%type default null,
  p_slow_table regclass default null,
  p_expected_at timestamptz default null
)
returns table (job_table text, cancelled integer, stalled integer, put_back integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  v_started_at constant timestamptz := clock_timestamp();
  v_cause text;
  v_cancelled arcano.job_ref[] := '{}';
  v_stalled arcano.job_ref[] := '{}';
  v_put_back arcano.job_ref[] := '{}';
  v_back arcano.job_ref[];
  v_ended arcano.job_ref[];
  v_ends constant boolean := p_slow_job_id is null and not (exists (select from arcano.payable_refund) and coalesce((
    select r.cancelled + r.stalled + r.put_back + r.failed > 0 from arcano.sweep_run r order by r.sweep_run_id desc limit 1), false));
  v_left integer := case when v_ends then p_limit else 0 end;
  v_errors integer;
  v_failed integer := 0;
  v_observed integer;
  v_purged integer;
begin
  perform arcano.refuse_limit(p_limit);
  if p_slow_job_id is not null then
    v_failed := arcano.put_off_slow_job(arcano.named_any_job(p_slow_job_id, p_slow_table), 'sweep', 'ending it');
  end if;
  if p_expected_at is not null then
    perform arcano.note_unreached(p_expected_at);
  end if;
  perform arcano.note_alive();
  if arcano.generated_has_tables() then
    perform arcano.remap_changed_tables();
    perform arcano.note_revived_jobs();
  end if;
  if arcano.have_other_names() then perform arcano.follow_table_names(), arcano.warn_strayed(); end if;
  perform arcano.trip_breakers(p_limit);
  perform arcano.note_future_jobs(p_limit);
  for v_cause in
    select c.cause
      from (
        values
          ('orphan', true),
          ('charged_orphan', exists (select from arcano.job_table t where t.charged_orphan_after is not null)),
          ('stalled', exists (select from arcano.job_table t where coalesce(t.stall_after, t.starting_stall_after) is not null))
      ) c (cause, applies)
     where c.applies
  loop
    exit when v_left = 0;
    select coalesce(array_agg(e.job) filter (where e.error is null and not e.is_put_back), '{}'),
           coalesce(array_agg(e.job) filter (where e.error is null and e.is_put_back), '{}'),
           count(*) filter (where e.error is not null)
      into v_ended, v_back, v_errors
      from arcano.sweep_jobs(v_cause, v_left, v_alone) e;
    v_left := v_left - cardinality(v_ended) - cardinality(v_back);
    v_put_back := v_put_back || v_back;
    v_failed := v_failed + v_errors;
    if v_cause = 'stalled' then
      v_stalled := v_ended;
    else
      v_cancelled := v_cancelled || v_ended;
    end if;
  end loop;

  v_observed := arcano.observe_jobs(p_limit);
  if p_slow_job_id is null and (not v_ends or v_left = p_limit and v_failed = 0) then
    perform arcano.pay_refunds(p_limit, v_alone);
  end if;
  v_purged := arcano.purge_expired(p_limit);
  perform arcano.forget_claims();
  perform arcano.keep_positions(v_started_at, v_alone) from arcano.setting s where s.keep_positions;
  perform arcano.wake_workers();

  insert into arcano.sweep_run (started_at, application_name, cancelled, stalled, put_back, failed, observed, forgotten)
  values (v_started_at,
          -- A background worker, such as pg_cron's, has no such setting, but is of a kind of its own.
          coalesce(nullif(current_setting('application_name'), ''), (
            select a.backend_type from pg_stat_get_activity(pg_backend_pid()) a where a.backend_type <> 'client backend')),
          cardinality(v_cancelled), cardinality(v_stalled), cardinality(v_put_back), v_failed,
          v_observed, v_purged);

  return query
    select arcano.table_name(r.relid),
           (count(*) - sum(r.is_stalled) - sum(r.is_put_back))::integer, sum(r.is_stalled)::integer,
           sum(r.is_put_back)::integer
      from (
        select c.relid, 0 as is_stalled, 0 as is_put_back from unnest(v_cancelled) c
         union all
        select s.relid, 1, 0 from unnest(v_stalled) s
         union all
        select b.relid, 0, 1 from unnest(v_put_back) b
      ) r
     group by r.relid
     order by 1;
end
$$;

comment on function arcano.sweep_orphans(integer, arcano.job.id%type, regclass, timestamptz) is
  'Cancels orphans, charged orphans and stalled jobs where their table says so, and claims that were never started (stalled), and puts jobs back into the queue whose worker fell silent (put_back), at most p_limit in all, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. None in two calls one after the other: nothing more to do now. Tables in observe mode only get entries in the journal. If nothing was ended, or the last sweep ended something, it tries to pay refunds that are due. Also keeps positions where that is switched on, forgets what is older than set_retention says, and wakes workers. p_slow_job_id, p_slow_table: a job with which alone a sweep was cut off, such as by a statement_timeout; it is journaled as an error and passed over for a while, and no job is ended this time. p_expected_at: for who sweeps regularly: when, by the database''s clock of its last sweep and a steady clock of its own, this call should come; where it could not reach the database, when it last did. If the call comes much later, the database was away, and that time does not count.';

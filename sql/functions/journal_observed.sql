-- Writes to the journal that jobs of tables in observe mode would have been ended: once a job, and without
-- waiting for anybody. Whoever finds another at it leaves it to that one, or to the next sweep.
create or replace function arcano.journal_observed(p_jobs arcano.job_ref[], p_source text, p_cause text)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_observed integer;
begin
  if not pg_try_advisory_xact_lock(arcano.lock_key('arcano observe')) then
    return 0;
  end if;
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  select 'observed', p_source, arcano.end_message(p_cause), n.name, j.id, j.user_id, arcano.job_row(j.tableoid, j.id)
    from unnest(p_jobs) r
    join arcano.job j on j.id = r.id and j.tableoid = r.relid
   cross join lateral arcano.table_name(j.tableoid) n (name)
   where not arcano.is_observed(n.name, j.id)
  on conflict do nothing;
  get diagnostics v_observed = row_count;
  return v_observed;
end
$$;

comment on function arcano.journal_observed(arcano.job_ref[], text, text) is
  'Internal: journals, once each, that p_cause (a cause of end_jobs) would have ended p_jobs, had their tables not been in observe mode; answers how many it did not know before.';

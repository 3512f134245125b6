-- The one place that writes the journal.
create or replace function arcano.journal(p_event text, p_source text, p_reason text, p_jobs arcano.job_snapshot[])
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_written integer;
begin
  if p_event <> all (arcano.journal_words('event')) or p_source <> all (arcano.journal_words('source'))
  then
    raise exception 'the journal has no word % by %', p_event, p_source using errcode = 'invalid_parameter_value';
  end if;
  insert into arcano.job_event (event, source, reason, job_table, relid, job_id, user_id, job_before)
  select p_event, p_source, arcano.plain_text(p_reason), coalesce(arcano.table_name(j.relid), ''), j.relid, j.id, j.user_id, j.job
    from unnest(p_jobs) j;
  get diagnostics v_written = row_count;
  return v_written;
end
$$;

comment on function arcano.journal(text, text, text, arcano.job_snapshot[]) is
  'Internal: writes an entry of the journal for each of p_jobs, and answers how many.';

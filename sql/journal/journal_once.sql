-- Journals what may come again and again, such as a call that a client repeats, once for each reason.
create or replace function arcano.journal_once(p_job arcano.job_ref, p_event text, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select
      from arcano.job_history(p_job) e
     where e.event = p_event and e.source = p_source and e.reason = arcano.plain_text(p_reason)
  ) then
    perform arcano.journal(p_event, p_source, p_reason, array(select r.job from arcano.job_rows(array[p_job], false) r));
  end if;
end
$$;

comment on function arcano.journal_once(arcano.job_ref, text, text, text) is
  'Internal: writes an entry of the journal for p_job, unless it has that one already.';

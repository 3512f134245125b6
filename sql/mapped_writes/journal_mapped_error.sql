-- Journals that a job of a mapped table could not be ended, once for each reason; and the sweep passes over it for a while.
create or replace function arcano.journal_mapped_error(p_job arcano.job_ref, p_source text, p_error text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from arcano.job_event e
     where e.job_id = p_job.id and e.relid = p_job.relid and e.event = 'error' and e.source = p_source and e.reason = p_error
  ) then
    perform arcano.journal('error', p_source, p_error, array(select r.job from arcano.mapped_job_rows(array[p_job]) r));
  end if;
end
$$;

comment on function arcano.journal_mapped_error(arcano.job_ref, text, text) is
  'Internal: an entry of the journal for p_job of a mapped table, unless it has that one already.';

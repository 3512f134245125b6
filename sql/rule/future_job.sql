-- A job whose created_at is yet to come, by a client's clock or a client's wish, would be left alone until then. From when
-- the journal says that it was first seen so (seen_at; null: it does not), it is taken no longer than one that was made
-- at that moment.
--
-- What asks is a view, whose reader may not read the journal.
create or replace function arcano.future_job(p_job arcano.job_ref, p_created_at timestamptz)
returns timestamptz
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select min(e.created_at)
      from arcano.job_event e
     where e.job_id = p_job.id and e.event = 'from_future' and arcano.is_of_table(e.relid, e.job_table, p_job.relid)
       and arcano.made_at(e.job_before) = p_created_at
  );
end
$$;

comment on function arcano.future_job(arcano.job_ref, timestamptz) is
  'Internal: when the journal says that p_job, whose p_created_at is in the future, was first seen; null: it does not.';

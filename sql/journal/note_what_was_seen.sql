-- What a check has met and left alone: jobs of tables in observe mode, and jobs from the future.
create or replace function arcano.note_what_was_seen(p_observed arcano.job_ref[], p_future arcano.job_ref[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.journal_observed(p_observed, 'check', 'orphan') where p_observed is not null;
  perform arcano.journal_future(p_future, 'check') where p_future is not null;
exception
  when others then null; -- a read-only transaction, say: the next sweep says it
end
$$;

comment on function arcano.note_what_was_seen(arcano.job_ref[], arcano.job_ref[]) is
  'Internal: journals that a check met p_observed, which it would have ended, and p_future.';

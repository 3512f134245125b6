-- Which words the journal has for what happened (event) and for what did it (source); the column comments of arcano.job_event say
-- what each means.
create or replace function arcano.journal_words(p_column text)
returns text[]
language sql immutable parallel safe security definer
set search_path = pg_catalog, pg_temp
return case p_column
  when 'event' then array[
    'healed', 'cancelled', 'force_cancelled', 'stalled', 'requeued', 'failed', 'completed', 'revived', 'late_finish',
    'late_cancel', 'refund_due', 'refunded', 'observed', 'from_future', 'restored', 'erased', 'error']
  when 'source' then array[
    'check', 'sweep', 'cancel_session', 'cancel_job', 'start_job', 'run_or_queue', 'touch_job', 'finish_job', 'claim_jobs', 'settle_refund',
    'restore_job', 'erase_user']
end;

comment on function arcano.journal_words(text) is
  'The words that there are in a column of arcano.job_event: event, or source.';

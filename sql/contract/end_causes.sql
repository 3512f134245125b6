-- Every way in which a job ends, and what follows from it: the status that it gets, what the journal calls it, what
-- is written to the job where nobody gave a reason, and which kind of refund is due for a charged job. A cancelled
-- job counts as never run until its status is running: while it is starting, it did not run yet.
--
--   orphan, charged_orphan, stalled   a rule matches
--   unstarted                         a claim of which nobody gave a sign of life, and which may be given to nobody else
--   silent                            its workers fell silent, as often as it may be put back and once more
--   waiting                           somebody cancels a job that waits
--   forced                            somebody insists, and it is worked on
--   completed, failed, cancelled      its own worker or client ends it
create or replace function arcano.end_causes()
returns table (cause text, status text, event text, message text, refund text, refund_when_running text)
language sql immutable parallel safe
begin atomic
  values
    ('orphan', 'cancelled', 'healed', 'Auto-clean: orphan queued job (client failed before enqueue/run)', 'cancelled', 'forced'),
    ('charged_orphan', 'cancelled', 'cancelled', 'Auto-clean: charged job that was never started', 'cancelled', 'forced'),
    ('stalled', 'failed', 'stalled', 'Auto-clean: stalled job (no sign of life from its worker)', 'stalled', 'stalled'),
    ('unstarted', 'failed', 'stalled', 'Auto-clean: claimed, but never started (no sign of life from its worker)', 'cancelled', 'stalled'),
    ('silent', 'failed', 'stalled', 'Auto-clean: each worker that had it fell silent', 'cancelled', 'cancelled'),
    ('waiting', 'cancelled', 'cancelled', 'Cancelled', 'cancelled', 'forced'),
    ('forced', 'cancelled', 'force_cancelled', 'Cancelled', 'cancelled', 'forced'),
    ('completed', 'completed', 'completed', null, null, null),
    ('failed', 'failed', 'failed', null, 'failed', 'failed'),
    ('cancelled', 'cancelled', 'cancelled', null, 'cancelled', 'forced');
end;

comment on function arcano.end_causes() is
  'Internal: each cause that ends a job, the status and the event of the journal that follow, the default message, and the kind of refund: of a job that was not running yet, and of one that was; null: none.';

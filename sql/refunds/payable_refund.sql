-- The refunds that the app's function may be asked to pay now: those that are due and were not tried lately.
create or replace view arcano.payable_refund as
select f.refund_id, f.due_at, f.tries
  from arcano.refund f
 where f.paid_at is null
   -- One that was tried in the future was so by a clock that has gone back since.
   and (f.tried_at is null or now() > arcano.retry_at(f.due_at, f.tried_at, '1 minute') or f.tried_at > now() + interval '1 minute')
   and exists (select from arcano.setting s where s.refund_function is not null);

comment on view arcano.payable_refund is 'Internal: the refunds that the sweep may try to pay now.';

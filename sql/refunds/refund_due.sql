-- What users are owed.
create or replace view arcano.refund_due as
select f.refund_id, arcano.table_name(f.job_table) as job_table, f.job_id, f.user_id, f.kind, f.amount,
       f.due_at, f.tries, f.tried_at, f.error
  from arcano.refund f
 where f.paid_at is null;

comment on view arcano.refund_due is
  'Refunds that are not paid yet; settle_refund marks one as paid in another way.';
comment on column arcano.refund_due.error is 'Why it is not paid yet.';

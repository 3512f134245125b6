-- Refunds are paid in a sweep of their own, which remembers where it was cut off; and how often a job was put back is
-- known without the journal.

-- A sequence, because that alone outlasts the transaction that was cut off.
create sequence if not exists arcano.refund_in_hand;

comment on sequence arcano.refund_in_hand is
  'Which refund a sweep is paying at this moment, or was when it was cut off; is_called false: none.';

alter table arcano.beating_claim
  add column if not exists fell_silent_at timestamptz,
  add column if not exists end_refused_at timestamptz;

comment on column arcano.beating_claim.fell_silent_at is
  'When the sweep put the job back into the queue, because its worker had fallen silent; null: it has not.';
comment on column arcano.beating_claim.end_refused_at is
  'When its worker said that the job was done, and the job''s table refused that; null: it has not.';

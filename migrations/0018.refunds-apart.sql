-- Refunds are paid in a sweep of their own, which remembers where it was cut off; and how often a job was put back is
-- known without the journal.

-- A sequence, because that alone outlasts the transaction that was cut off.
create sequence if not exists arcano.refund_in_hand;

comment on sequence arcano.refund_in_hand is
  'Which refund a sweep is paying at this moment, or was when it was cut off; is_called false: none.';

alter table arcano.beating_claim
  add column if not exists fell_silent_at timestamptz,
  add column if not exists end_refused_at timestamptz,
  add column if not exists put_back_refused_at timestamptz;

comment on column arcano.beating_claim.fell_silent_at is
  'When the sweep put the job back into the queue, because its worker had fallen silent; null: it has not.';
comment on column arcano.beating_claim.put_back_refused_at is
  'When the sweep could not put the job back into the queue for the first time; null: it could, or did not try.';
comment on column arcano.beating_claim.end_refused_at is
  'When its worker said that the job was done, and the job''s table refused that; null: it has not.';

-- How often jobs were put back, which the journal alone knew. The next sweep forgets those of jobs that have ended.
insert into arcano.beating_claim (job_table, job_id, attempt, claimed_at, fell_silent_at)
select j.tableoid, j.id, coalesce(j.attempt, 0), e.created_at, e.created_at
  from arcano.job_event e
  join arcano.job j on j.id = e.job_id and j.tableoid = e.relid
 where e.event = 'requeued'
   and not exists (
     select from arcano.beating_claim c where c.job_id = j.id and c.job_table = j.tableoid and c.fell_silent_at is not null
   );

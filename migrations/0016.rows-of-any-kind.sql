-- A row that the journal cannot keep as it is, is kept as far as it can be; a table is known by its oid, whatever it is
-- called; and an app that prepares its transactions has no notifications in them.
alter table arcano.job_table
  add column if not exists journal_value_limit bigint not null default 65536,
  drop constraint if exists job_table_journal_value_limit_in_range;
alter table arcano.job_table
  add constraint job_table_journal_value_limit_in_range
    check (journal_value_limit between 1024 and 1048576) not valid;

comment on column arcano.job_table.journal_value_limit is
  'The journal cuts a value of a row that has more bytes than this, and says so.';

alter table arcano.job_event add column if not exists relid regclass;

comment on column arcano.job_event.relid is
  'The table, whatever it is called by now. Null: the entry is about no job, or of a release that kept only job_table.';
comment on column arcano.job_event.job_before is
  'The whole row as it was before, with the table''s own columns. The key "arcano.unlike" is there if some of them are not as they were, and says of each why: its value was longer than the table''s journal_value_limit and is the beginning of it, as text; or jsonb cannot hold it, and it is text; or it could not be read.';

comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; from_future: its created_at is yet to come, and the orphan rule counts from this entry on; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';

alter table arcano.setting add column if not exists notifies boolean not null default true;

comment on column arcano.setting.notifies is
  'False: nothing is notified, as for an app that prepares transactions (two-phase commit), in which PostgreSQL allows no notification; workers poll. Set by set_notifications.';

comment on column arcano.refund.reference is
  'What the app''s function is told, and never of two refunds: oid of the table, id, created_at in seconds, and kind. It stays the same when the table is renamed.';

-- Time in which nobody could reach the database does not count. So it is known when the database was last serving, and
-- when it was away since; and what the breaker counts of a table's journal has an index.

-- A sequence, because writing it waits for nobody, holds nothing until a transaction ends, and leaves no dead rows.
create sequence if not exists arcano.alive minvalue 0;

comment on sequence arcano.alive is
  'When the database was last known to be serving, in microseconds since 1970: written when older than 30 seconds by the sweep, by what makes and ends jobs, and by a check that leaves a job to become an orphan.';

create table if not exists arcano.away (
  away_id bigint generated always as identity primary key,
  began_at timestamptz not null,
  ended_at timestamptz not null,
  cause text not null,
  is_away boolean not null,
  noted_at timestamptz not null default clock_timestamp(),
  noted_by xid8 not null default pg_current_xact_id(),
  timeline text,
  relid oid not null
);

-- squawk-ignore require-concurrent-index-creation
create index if not exists away_ended on arcano.away (ended_at) where is_away;

comment on table arcano.away is
  'When nobody could reach the database, noted by whoever wrote first afterwards, for 30 days.';
comment on column arcano.away.began_at is 'When the database was last known to be serving before.';
comment on column arcano.away.ended_at is 'When it served again.';
comment on column arcano.away.cause is
  'restart, promotion (of a standby, or of a backup that was restored as a server), restore (of a dump), unreached (the sweeper could not reach it, or its clock jumped ahead); unknown: nobody had anything to write, which is no time away; served: the same, and it can become none any more; installed: the first row.';
comment on column arcano.away.is_away is 'Whether it was away: then that time does not count for any job.';
comment on column arcano.away.noted_by is 'The transaction that noted it, which itself does not go on from there: it may be undone.';
comment on column arcano.away.timeline is 'The timeline of the write-ahead log after it: a promotion begins another one.';
comment on column arcano.away.relid is 'The oid of this table: that of a restored dump is another one.';

do $$
declare
  v_timeline text;
begin
  perform setval('arcano.alive', (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  begin
    v_timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
  exception
    when others then null; -- some hosts do not tell
  end;
  insert into arcano.away (began_at, ended_at, cause, is_away, timeline, relid)
  select now(), now(), 'installed', false, v_timeline, 'arcano.away'::regclass
   where not exists (select from arcano.away);
end
$$;

-- What was healed lately, a table at a time. Of a large journal it takes seconds, in which nothing is healed or cancelled.
-- squawk-ignore require-concurrent-index-creation
create index if not exists job_event_healed on arcano.job_event (relid, created_at) where event = 'healed';

-- And what was healed of a user.
-- squawk-ignore require-concurrent-index-creation
create index if not exists job_event_healed_user on arcano.job_event (user_id, created_at) where event = 'healed';

-- Other calls bring healed jobs back as well.
comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; requeued: put back into the queue, because its worker fell silent; revived: a healed job whose client came back after all, or a claim that had failed as never started and was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; late_cancel: a cancel came after the rule had ended the job, which no late call brings back since; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';
comment on column arcano.job_event.source is
  'What did it: check (check_user_active, also inside create_job and start_job), sweep (sweep_orphans), cancel_session, cancel_job, start_job, run_or_queue, touch_job, finish_job (fail_job, finish_jobs and finish_task too), claim_jobs, settle_refund, restore_job, or erase_user.';

-- The functions and views of the older release are loaded afterwards. Those views of this one that name what goes must
-- go before it.
do $$
declare
  v_views text;
begin
  select string_agg(c.oid::regclass::text, ', ') into v_views
    from pg_catalog.pg_class c where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v';
  if v_views is not null then
    execute 'drop view ' || v_views;
  end if;
end
$$;

alter table arcano.setting drop column if exists notifies;
alter table arcano.job_event drop column if exists relid;
alter table arcano.job_table drop column if exists journal_value_limit;

comment on column arcano.job_event.job_before is 'The whole row as it was before, with the table''s own columns.';
comment on column arcano.refund.reference is
  'What the app''s function is told, and never of two refunds: table/id/kind, with the refund''s own number behind it where an older row had the same.';
comment on column arcano.job_event.event is
  'healed: cancelled by the orphan rule; cancelled, failed, completed: ended while it waited; force_cancelled: cancelled while it worked; stalled: failed, because it gave no sign of life; revived: a healed job that was started after all; late_finish: finish_job came after the job had ended otherwise, and changed nothing; refund_due: credits are owed, and reason says why they are not paid yet; refunded: they are paid; observed: would have been ended, were its table not in observe mode; restored: put back as it was; erased: a user''s entries were removed, and reason says how many; error: the job could not be started or ended, and reason says why.';

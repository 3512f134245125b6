-- Undoes one entry of the journal that ended a job: the job is as it was, and the orphan rule leaves it alone.
-- Only where nothing has happened to the job since, so that nothing newer is lost; and only if its user has no
-- other active job, and a job that worked its slot back, so that what holds for every start holds for this one.
-- The journal keeps this too. What it refuses changes nothing.
create or replace function arcano.restore_job(p_event_id bigint)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_undone constant text := format('undoes entry %s', p_event_id);
  -- What ending a job writes.
  v_written constant text[] := array['status', 'completed_at', 'error_message'];
  v_event arcano.job_event%rowtype;
  v_before arcano.job%rowtype;
  v_job arcano.job%rowtype;
  v_relid oid;
  v_row jsonb;
  v_in_the_way record;
  v_is_counted boolean;
  v_why text;
  v_hint text;
begin
  select e.* into v_event from arcano.job_event e where e.event_id = p_event_id;
  if not found then
    raise exception 'the journal has no entry %', coalesce(p_event_id::text, 'null')
      using errcode = 'invalid_parameter_value',
        hint = format('arcano.job_event has them, for as long as keep_events says: %s.',
          coalesce((select s.keep_events::text from arcano.setting s), 'for ever'));
  end if;

  -- The user before the row, as everybody locks them.
  perform arcano.lock_user(v_event.user_id);
  if exists (
    select from arcano.job_event e
     where e.job_id = v_event.job_id and e.event_id > p_event_id and e.event = 'restored' and e.reason = v_undone
  ) then
    return false;
  end if;

  v_before := jsonb_populate_record(null::arcano.job, v_event.job_before);
  v_relid := to_regclass(v_event.job_table);
  select f.* into v_job
    from arcano.job f
   where f.id = v_event.job_id and f.tableoid = v_relid
     for no key update skip locked;
  if found then
    v_row := arcano.job_row(v_relid, v_job.id);
  end if;
  select a.* into v_in_the_way from arcano.find_active_job(v_event.user_id) a;
  if arcano.is_working(v_before.status) then
    -- Without waiting: who counts its slots may be waiting for this user.
    perform from arcano.account a where a.name = v_before.api_account for no key update skip locked;
    v_is_counted := found;
  end if;

  select w.why, w.hint into v_why, v_hint
    from (
      values
        (1, arcano.status_given(v_event.event) is null,
          format('it is an entry of the kind %s, which ended no job', v_event.event),
          'arcano-db events --job shows which entry did.'),
        (2, not exists (select from arcano.job j where j.id = v_event.job_id and j.tableoid = v_relid),
          format('%s has no job %s now', v_event.job_table, v_event.job_id),
          format('Its row as it was: insert into %s select r.* from arcano.job_event e cross join jsonb_populate_record(null::%1$s, e.job_before) r where e.event_id = %s;',
            v_event.job_table, p_event_id)),
        (3, v_job.id is null, 'somebody is changing this job at this moment', 'Try again.'),
        (4, v_in_the_way.has_active_job and v_in_the_way.active_job_id <> v_event.job_id,
          format('its user has another active job: %s %s (%s)', v_in_the_way.active_table, v_in_the_way.active_job_id,
            v_in_the_way.active_status),
          'Wait for it to end, or cancel it.'),
        (5, exists (select from arcano.refund f where f.job_id = v_event.job_id and f.job_table = v_relid and f.paid_at is not null),
          'its credits have been given back', 'Let the user start the job again: it is charged anew.'),
        (6, true, (
            select format('since then it was %s by %s (entry %s)', e.event, e.source, e.event_id)
              from arcano.job_event e
             where e.job_id = v_event.job_id and e.job_table = v_event.job_table and e.event_id > p_event_id
               and e.event not in ('error', 'refund_due', 'observed')
             order by e.event_id
             limit 1),
          'Only the last end of a job can be undone.'),
        (7, v_job.status is distinct from arcano.status_given(v_event.event),
          format('since then its status became %s', coalesce(v_job.status, 'null')), null),
        (8, true, (
            select 'since then it was changed: ' || string_agg(format('%s from %s to %s', k.key, k.value, n.value), ', ' order by k.key)
              from jsonb_each(to_jsonb(v_before)) k
              join jsonb_each(to_jsonb(v_job)) n on n.key = k.key and n.value <> k.value
             where k.key <> all (v_written)),
          'Put it back by hand, if what changed it does not matter.'),
        (9, arcano.is_working(v_before.status) and exists (
            select from arcano.account_status s
             where s.api_account = v_before.api_account and (s.free = 0 or not v_is_counted)),
          format('account %s has no free slot for it', v_before.api_account), 'Try again when it has.')
    ) w (step, holds, why, hint)
   where w.holds and w.why is not null
   order by w.step
   limit 1;
  if found then
    raise exception 'entry % of the journal cannot be undone', p_event_id
      using errcode = 'object_not_in_prerequisite_state', detail = v_why, hint = coalesce(v_hint, '');
  end if;

  delete from arcano.refund f where f.job_id = v_job.id and f.job_table = v_relid and f.paid_at is null;
  update arcano.job j
     set status = v_before.status, completed_at = v_before.completed_at, error_message = v_before.error_message,
         orphan_exempt = true,
         -- Else the sweep would end it at once as stalled.
         heartbeat_at = case when arcano.is_working(v_before.status) then clock_timestamp() else j.heartbeat_at end
   where j.id = v_job.id and j.tableoid = v_relid;
  if not found then
    perform arcano.refuse_suppression();
  end if;
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  values ('restored', 'restore_job', v_undone, v_event.job_table, v_job.id, v_job.user_id, v_row);
  perform arcano.wake_workers();
  return true;
end
$$;

comment on function arcano.restore_job(bigint) is
  'Undoes entry p_event_id of the journal, which ended a job: the job is as it was, exempt from the orphan rule, and a refund that is not paid yet is no longer due. True: done; false: it was done before. An error (55000), and no change, where the job is gone, has been changed since, has its credits back, or its user has another active job, or its account no free slot. Waits for the same user''s create_job.';

-- Undoes one entry of the journal that ended a job: the job is as it was, and the orphan rule leaves it alone.
-- Only where nothing has happened to the job since, so that nothing newer is lost; and only if its user has no
-- other active job, and a job that was worked on gets its slot back, so that what holds for every start holds here.
-- The journal keeps this too. What refuse_restore refuses changes nothing.
create or replace function arcano.restore_job(p_event_id bigint)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_undone constant text := format('undoes entry %s', p_event_id);
  v_event arcano.job_event%rowtype;
  v_before arcano.job%rowtype;
  v_job arcano.job%rowtype;
  v_relid oid;
  v_row arcano.job_snapshot;
begin
  select e.* into v_event from arcano.job_event e where e.event_id = p_event_id;
  if not found then
    raise exception 'the journal has no entry %', coalesce(p_event_id::text, 'null')
      using errcode = 'invalid_parameter_value',
        hint = format('arcano.job_event has them, for as long as set_retention says: %s.',
          coalesce((select s.keep_events::text from arcano.setting s), 'for ever'));
  end if;

  -- The user before the row, as everybody locks them.
  perform arcano.lock_user(v_event.user_id, 'a job cannot be restored');
  v_relid := coalesce(v_event.relid, to_regclass(nullif(v_event.job_table, ''))); -- an entry may be about no job
  if arcano.generated_has_tables() then -- a mapped one is found by its name, also once another has it
    perform arcano.remap_strange_table(coalesce(to_regclass(nullif(v_event.job_table, ''))::oid, v_relid));
    v_relid := coalesce((select m.relid from arcano.mapping m where m.name = v_event.job_table), v_relid);
  end if;
  if exists (
    select from arcano.job_event e
     where arcano.is_of_table(e.relid, e.job_table, v_relid) and e.job_id = v_event.job_id and e.event_id > p_event_id
       and e.event = 'restored' and e.reason = v_undone
  ) then
    return false;
  end if;

  if arcano.generated_has_tables() and arcano.is_mapped(v_relid) then
    perform arcano.restore_mapped_job(v_event, (v_relid, v_event.job_id)::arcano.job_ref);
    perform arcano.journal('restored', 'restore_job', v_undone, array[arcano.job_row((v_relid, v_event.job_id)::arcano.job_ref)]);
    return true;
  end if;

  v_before := jsonb_populate_record(null::arcano.job, v_event.job_before);
  select f.* into v_job
    from arcano.job f
   where f.id = v_event.job_id and f.tableoid = v_relid
     for no key update skip locked;
  if found then
    v_row := arcano.job_row((v_relid, v_job.id)::arcano.job_ref);
    v_job := jsonb_populate_record(null::arcano.job, v_row.job); -- whatever it holds, no longer than the entry keeps it
  end if;
  perform arcano.refuse_restore(v_event, v_relid, v_before, v_job);

  delete from arcano.refund f
   where f.refund_id in (
     select r.refund_id
       from arcano.job_refunds((v_relid, v_job.id)::arcano.job_ref, v_job.created_at) r
      where r.paid_at is null
   );
  update arcano.job j
     set status = v_before.status, completed_at = v_before.completed_at, error_message = arcano.kept_text(v_event.job_before, 'error_message'),
         orphan_exempt = true,
         -- Else the sweep would end it at once as stalled; of a claim a heartbeat alone does not protect it.
         started_at = case when v_before.status = 'starting' then clock_timestamp() else j.started_at end,
         heartbeat_at = case when arcano.is_working(v_before.status) then clock_timestamp() else j.heartbeat_at end
   where j.id = v_job.id and j.tableoid = v_relid;
  if not found then
    perform arcano.refuse_suppression();
  end if;
  if arcano.is_open(v_before.status) then
    perform arcano.refuse_made_job(v_relid, v_job.id, v_job.user_id, v_job.id, v_job.user_id);
  end if;
  perform arcano.forget_backoff((v_relid, v_job.id)::arcano.job_ref);
  perform arcano.journal('restored', 'restore_job', v_undone, array[v_row]);
  perform arcano.wake_workers();
  return true;
end
$$;

comment on function arcano.restore_job(bigint) is
  'Undoes entry p_event_id of the journal, which ended a job: the job is as it was, exempt from the orphan rule, and a refund that is not paid yet is no longer due. True: done; false: it was done before. An error (55000), and no change, where the job is gone, has been changed since, has its credits back, or its user has another active job, or its account no free slot. Waits for the same user''s create_job.';

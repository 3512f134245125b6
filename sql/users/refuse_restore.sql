-- Every reason for which an entry of the journal cannot be undone; the first one that holds is told.
create or replace function arcano.refuse_restore(
  p_event arcano.job_event,
  p_relid oid,
  p_before arcano.job,
  p_job arcano.job
)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- What ending a job writes.
  v_written constant text[] := array['status', 'completed_at', 'error_message'];
  v_status constant text := (select c.status from arcano.end_causes() c where c.event = p_event.event limit 1);
  -- What it is called now.
  v_table constant text := (select arcano.table_name(c.oid) from pg_class c where c.oid = p_relid);
  v_unlike constant text[] := array(select jsonb_object_keys(p_event.job_before -> 'arcano.unlike'));
  v_in_the_way record;
  v_is_counted boolean;
  v_why text;
  v_hint text;
begin
  select a.* into v_in_the_way from arcano.heal_and_find_active_job(p_event.user_id, true) a;
  if arcano.is_working(p_before.status) then
    -- Without waiting: who counts its slots may be waiting for this user.
    perform from arcano.account a where a.name = p_before.api_account for no key update skip locked;
    v_is_counted := found;
  end if;

  select w.why, w.hint into v_why, v_hint
    from (
      values
        (1, v_status is null,
          format('it is an entry of the kind %s, which ended no job', p_event.event),
          'arcano-db events --job shows which entry did.'),
        (2, v_table is null, format('the table %s is gone', p_event.job_table),
          format('Its row as it was: select e.job_before from arcano.job_event e where e.event_id = %s;', p_event.event_id)),
        (2, not exists (select from pg_inherits i where i.inhrelid = p_relid and i.inhparent = 'arcano.job'::regclass),
          format('%s is not attached', v_table), format('arcano-db attach %s', v_table)),
        (2, not exists (select from arcano.job j where j.id = p_event.job_id and j.tableoid = p_relid),
          format('%s has no job %s now', v_table, p_event.job_id),
          format('Its row as it was%s: insert into %s select r.* from arcano.job_event e cross join jsonb_populate_record(null::%2$s, e.job_before%s) r where e.event_id = %s;',
            case when v_unlike <> '{}' then format(', but for %s, which the journal has only in part', array_to_string(v_unlike, ', ')) end,
            v_table, case when v_unlike <> '{}' then format(' - %L::text[]', v_unlike) end, p_event.event_id)),
        (3, p_job.id is null, 'somebody is changing this job at this moment', 'Try again.'),
        (4, v_in_the_way.has_active_job
            and (v_in_the_way.active_table, v_in_the_way.active_job_id) <> (arcano.table_name(p_relid), p_event.job_id),
          format('its user has another active job: %s %s (%s)', v_in_the_way.active_table, v_in_the_way.active_job_id,
            v_in_the_way.active_status),
          'Wait for it to end, or cancel it.'),
        (5, exists (
            select from arcano.job_refunds((p_relid, p_event.job_id)::arcano.job_ref, p_before.created_at) f where f.paid_at is not null),
          'its credits have been given back', 'Let the user start the job again: it is charged anew.'),
        (6, true, (
            select format('since then it was %s by %s (entry %s)', e.event, e.source, e.event_id)
              from arcano.job_event e
             where e.job_id = p_event.job_id and arcano.is_of_table(e.relid, e.job_table, p_relid) and e.event_id > p_event.event_id
               and e.event not in ('error', 'refund_due', 'observed', 'from_future', 'late_cancel')
             order by e.event_id
             limit 1),
          'Only the last end of a job can be undone.'),
        (7, p_job.status is distinct from v_status,
          format('since then its status became %s', coalesce(p_job.status, 'null')), null),
        (8, true, (
            select 'since then it was changed: ' || string_agg(format('%s from %s to %s', k.key, left(k.value::text, 100), left(n.value::text, 100)), ', ' order by k.key)
              from jsonb_each(to_jsonb(p_before)) k
              join jsonb_each(to_jsonb(p_job)) n on n.key = k.key and n.value <> k.value
             where k.key <> all (v_written) and k.key <> all (v_unlike)),
          'Put it back by hand, if what changed it does not matter.'),
        (9, arcano.is_working(p_before.status) and exists (
            select from arcano.account_status s
             where s.api_account = p_before.api_account and (s.free = 0 or not v_is_counted)),
          format('account %s has no free slot for it', p_before.api_account), 'Try again when it has.')
    ) w (step, holds, why, hint)
   where w.holds and w.why is not null
   order by w.step
   limit 1;
  if found then
    raise exception 'entry % of the journal cannot be undone', p_event.event_id
      using errcode = 'object_not_in_prerequisite_state', detail = v_why, hint = coalesce(v_hint, '');
  end if;
end
$$;

comment on function arcano.refuse_restore(arcano.job_event, oid, arcano.job, arcano.job) is
  'Internal: raises if p_event, whose job p_job of table p_relid was p_before, cannot be undone, and says why.';

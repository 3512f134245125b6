-- What restore_job does with a job of a mapped table: the app's own word, date and message as they were, and the orphan rule leaves
-- the job alone. Refused where anything but the end has changed since (p_but: what else may), and where its user has another
-- active job.
--
-- Dynamic, because the table's own columns are not known before.
create or replace function arcano.restore_mapped_job(p_event arcano.job_event, p_job arcano.job_ref, p_but text[] default '{}')
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  m arcano.mapping;
  v_status constant text := (select c.status from arcano.end_causes() c where c.event = p_event.event limit 1);
  v_names text[];
  v_before jsonb := p_event.job_before - 'arcano.created_at';
  v_now jsonb;
  v_row record;
  v_why text;
  v_in_the_way record;
  v_is_so boolean;
begin
  select x.* into strict m from arcano.mapping x where x.relid = p_job.relid;
  v_names := array(
    select coalesce(m.columns ->> w.name, w.name) from unnest(array['status', 'completed_at', 'error_message']) w (name)
     where arcano.mapped_expression(m, w.name) is not null);
  select r.job, r.tid, r.rel into v_row from arcano.job_rows(array[p_job], true) r;
  v_now := (v_row.job).job - 'arcano.created_at';
  select a.* into v_in_the_way from arcano.heal_and_find_active_job(p_event.user_id, true) a;
  v_why := case
    when v_status is null then format('it is an entry of the kind %s, which ended no job', p_event.event)
    when not v_before ?& v_names then 'its table was altered since: its columns have other names'
    when v_now is null then format('%s has no job %s now, or somebody is changing it', m.name, p_job.id)
    when v_in_the_way.has_active_job then format('its user has another active job: %s %s (%s)', v_in_the_way.active_table,
      v_in_the_way.active_job_id, v_in_the_way.active_status)
    when (arcano.mapped_row(p_job)).status is distinct from m.statuses ->> (m.writes ->> v_status) then format('since then its status became %s', v_now ->> v_names[1])
    else (
      select 'since then it was changed: ' || string_agg(format('%s from %s to %s', b.key, left(b.value::text, 100), left(v_now ->> b.key, 100)), ', ' order by b.key)
        from jsonb_each(v_before) b
       where b.value is distinct from v_now -> b.key and b.key <> all (v_names) and not coalesce(v_before -> 'arcano.unlike' ? b.key, false)
         -- What no rule reads, such as when an ORM last wrote the row, may have changed with the end itself.
         and exists (
           select from pg_attribute k
            where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and k.attname <> all (p_but) and coalesce(m.columns ->> k.attname, k.attname) = b.key))
  end;
  if v_why is not null then
    raise exception 'entry % of the journal cannot be undone', p_event.event_id
      using errcode = 'object_not_in_prerequisite_state', detail = v_why, hint = 'arcano-db events --job shows what happened to it.';
  end if;
  insert into arcano.mapped_exempt as x (name, job_id, created_at) values (m.name, p_job.id::text, arcano.made_at((v_row.job).job))
  on conflict (name, job_id) do update set created_at = excluded.created_at, restored_at = excluded.restored_at;
  select format('update %s t set (%s) = (select %s from jsonb_to_record($1) r (%s)) where t.ctid = $2 and t.tableoid = $3 returning to_jsonb(t.%I) #>> ''{}'' = $1 ->> %L', m.name,
           string_agg(quote_ident(a.attname), ', '), string_agg('r.' || quote_ident(a.attname), ', '),
           string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '),
           v_names[1], v_names[1])
    into v_why
    from pg_attribute a
   where a.attrelid = p_job.relid and a.attname = any (v_names) and not a.attisdropped and a.attgenerated = '';
  execute v_why into v_is_so using v_before, v_row.tid, v_row.rel;
  if v_is_so is not true then
    perform arcano.refuse_suppression();
  end if;
end
$$;

comment on function arcano.restore_mapped_job(arcano.job_event, arcano.job_ref, text[]) is
  'Internal: undoes p_event, which ended p_job of a mapped table; raises if that cannot be undone, and says why. p_but: columns of the contract that may have changed since.';

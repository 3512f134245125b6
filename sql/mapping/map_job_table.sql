-- Makes a table a job table without touching it: its columns keep their names, types and words, and its owner's migrations run as
-- before. It is read and written as this says. Called again, it maps anew, and its settings stay but for those that are given.
--
-- What it gets: check, healing, admission, cancels, sweep, observe mode, breaker, journal, restore, explain, doctor, metrics. What
-- needs columns of the package's own (the queue, slots, claims, start and finish) is for attached tables.
create or replace function arcano.map_job_table(
  p_table text,
  p_tool text default null,
  p_columns jsonb default '{}',
  p_statuses jsonb default '{}',
  p_writes jsonb default '{}',
  p_time_zone text default null,
  p_orphan_after interval default null,
  p_mode text default null,
  p_force boolean default false
)
returns table (level text, finding text, detail text, hint text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  m constant arcano.mapping := arcano.mapping_of(p_table, p_columns, p_statuses, p_writes, p_time_zone);
  v_new arcano.job_table;
  v_former text;
begin
  perform arcano.refuse_mapping_arguments(p_columns, p_statuses, p_writes, p_mode);
  for level, finding, detail, hint in select f.* from arcano.mapping_findings(m, p_force) f loop
    if level = 'error' then
      raise exception 'cannot map %: %', coalesce(p_table, 'null'), finding
        using errcode = 'invalid_parameter_value', detail = detail, hint = coalesce(hint, '');
    end if;
    return next;
  end loop;

  perform pg_advisory_xact_lock(arcano.lock_key('remap'));
  perform arcano.follow_names();
  -- One that was renamed goes on under its new name.
  select x.name into v_former from arcano.mapping x where x.relid = m.relid and x.name <> m.name;
  update arcano.mapping x set name = m.name where x.name = v_former;
  update arcano.mapped_exempt e set name = m.name where e.name = v_former;

  v_new := arcano.table_settings(m.relid);
  v_new.tool := coalesce(p_tool, v_new.tool);
  v_new.orphan_after := coalesce(arcano.plain_seconds(p_orphan_after), v_new.orphan_after);
  v_new.mode := coalesce(p_mode, (select t.mode from arcano.job_table t where t.job_table = m.relid), 'observe');
  perform arcano.refuse_settings(v_new);

  insert into arcano.mapping as x
  select m.*
      on conflict (name) do update
     set relid = excluded.relid, owner = excluded.owner, code = excluded.code, uses = excluded.uses, shape = excluded.shape, columns = excluded.columns, statuses = excluded.statuses, writes = excluded.writes,
         time_zone = excluded.time_zone, id_type = excluded.id_type, user_id_type = excluded.user_id_type, left_out = null;
  insert into arcano.job_table (job_table, tool, orphan_after, touch_limit, mode, added_columns)
  values (m.relid, v_new.tool, v_new.orphan_after, v_new.touch_limit, v_new.mode, '{}')
      on conflict (job_table) do update
     set tool = excluded.tool, orphan_after = excluded.orphan_after, mode = excluded.mode;
  perform arcano.remap_tables();
end
$$;

comment on function arcano.map_job_table(text, text, jsonb, jsonb, jsonb, text, interval, text, boolean) is
  'Maps p_table: from then on its jobs block, heal and are journaled as those of attached tables, and nothing of it is altered. p_tool: the name people read, at first the table''s. p_columns: column of the contract -> the table''s column, or an expression over its row t, such as {"user_id": "userId", "task_id": "t.meta ->> ''id''"}; null: it has none; what is not named is taken by its name (but for position, waited_in_queue and what was charged). p_statuses: the app''s word -> the status that it means. p_writes: status -> the word that is written, where several mean the same; cancelled must have one. p_time_zone: of dates without time zone. p_orphan_after: as for attach_job_table. p_mode: enforce or observe, at first observe. p_force: also without an index that finds a user''s jobs, or that makes an id unique. Answers warnings and notes; an error names what is wrong, and changes nothing.';

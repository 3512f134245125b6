-- Answers the statements that attach a table, in their order, and runs none of them; there are none where it is
-- attached with these settings already. With p_concurrently the indexes are built without blocking writers, and each
-- statement must run by itself, outside of a transaction block, as arcano-db attach does. If that is interrupted,
-- call this again: it answers the statements that are left.
--
-- The settings come first: they say which columns were added, and the rule never sees a table without them.
-- The inheritance comes last, so that no check reads a whole table.
create or replace function arcano.attach_steps(
  p_table regclass,
  p_tool text default null,
  p_orphan_after interval default null,
  p_stall_after interval default null,
  p_concurrently boolean default true
)
returns table (statement text, lock text, effect text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
  v_new arcano.job_table%rowtype;
  v_concurrently constant text := case when p_concurrently then 'concurrently ' else '' end;
  v_was oid;
  v_columns text;
  v_missing text[];
  r record;
begin
  if p_table is null then
    raise exception 'p_table must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Name the table with its schema, such as public.upscaler_jobs.';
  end if;
  -- The settings of a table whose place it has taken are its own.
  select s.was into v_was from arcano.strayed_tables() s where s.found = p_table;
  v_settings := arcano.table_settings(coalesce(v_was, p_table)::regclass);
  v_new := v_settings;
  v_new.name := arcano.table_name(p_table);
  v_new.tool := coalesce(p_tool, v_settings.tool);
  v_new.orphan_after := coalesce(arcano.plain_seconds(p_orphan_after), v_settings.orphan_after);
  v_new.stall_after := coalesce(arcano.plain_seconds(p_stall_after), v_settings.stall_after);
  perform arcano.refuse_settings(v_new);

  select (array_agg(a.errcode))[1] as errcode, string_agg(a.problem, e'\n') as problems, arcano.attach_hint(p_table) as hint
    into r
    from arcano.attach_problems(p_table) a
  having count(*) > 0;
  if found then
    raise exception 'cannot attach %', p_table
      using errcode = r.errcode, detail = r.problems, hint = r.hint;
  end if;

  select string_agg(format('add column if not exists %I %s', k.attname, format_type(k.atttypid, k.atttypmod)), ', ' order by k.attnum),
         array_agg(k.attname::text order by k.attnum)
    into v_columns, v_missing
    from pg_attribute k
   where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
     and not exists (
       select from pg_attribute c where c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
     );
  v_new.added_columns := array(
    select distinct u.name from unnest(v_settings.added_columns || v_missing) u (name) order by u.name);

  return query select s.* from arcano.replace_steps(p_table, v_was, p_concurrently) s;
  -- Settings that were never written have no date.
  if v_new is distinct from v_settings or v_settings.attached_at is null then
    return query select format(
      'insert into arcano.job_table (job_table, name, tool, orphan_after, touch_limit, stall_after, added_columns) values (%L, %L, %L, %L, %L, %L, %L) on conflict (job_table) do update set %s',
      p_table, v_new.name, v_new.tool, v_new.orphan_after, v_new.touch_limit, v_new.stall_after, v_new.added_columns,
      -- What was not given may have been set otherwise by the time that this runs.
      concat_ws(', ',
        case when p_tool is not null then 'tool = excluded.tool' end,
        case when p_orphan_after is not null then 'orphan_after = excluded.orphan_after' end,
        case when p_stall_after is not null then 'stall_after = excluded.stall_after' end,
        'name = excluded.name', 'added_columns = excluded.added_columns')),
      'none', 'one row of arcano.job_table: the settings';
  end if;

  if v_columns is not null then
    return query select format('alter table %s %s', p_table, v_columns),
      'access exclusive, for a moment', 'the catalogue alone: no rewrite, no scan';
  end if;

  -- An index that a failed "create index concurrently" left behind is in the way and of no use.
  return query
    select s.statement, case when p_concurrently then 'share update exclusive: reads and writes go on' else s.lock end,
           case when p_concurrently and s.step = 2 then 'reads the table twice, and waits for older transactions' else s.effect end
      from arcano.built_indexes(p_table) with ordinality n
      cross join lateral (
        values
          (1, format('drop index %s%s', v_concurrently, n.index), n.index is not null,
            'access exclusive, for a moment', 'an invalid index, left by a failed build, or one of another release'),
          (2, format('create index %sif not exists %I %s', v_concurrently, n.index_name, n.definition), true,
            'share: writes wait for it', 'reads the table')
      ) s (step, statement, needed, lock, effect)
     where not n.is_valid and s.needed
     order by n.ordinality, s.step;

  if not exists (
    select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass
  ) then
    return query select format('alter table %s inherit arcano.job', p_table),
      'access exclusive, for a moment', 'the catalogue alone: no rewrite, no scan';
  end if;
end
$$;

comment on function arcano.attach_steps(regclass, text, interval, interval, boolean) is
  'The statements that would attach p_table, in their order, with the lock that each takes on the table and what it does to it; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself.';

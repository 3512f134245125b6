-- The statements that attach a table, in their order, run nowhere; none where it is attached with
-- these settings already. With p_concurrently the indexes are built without blocking writers, and
-- each statement must run by itself, outside of a transaction block, as arcano-db attach does.
--
-- The settings come before the inheritance, so that the rule never sees a table without them, and
-- after the indexes, so that no check reads a whole table.
create or replace function arcano.attach_plan(
  p_table regclass,
  p_tool text default null,
  p_orphan_after interval default '5 minutes',
  p_stall_after interval default null,
  p_concurrently boolean default true
)
returns table (statement text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_orphan_after interval;
  v_tool text;
  v_concurrently constant text := case when p_concurrently then 'concurrently ' else '' end;
  v_columns text;
  r record;
begin
  if p_table is null then
    raise exception 'p_table must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Name the table with its schema, such as public.upscaler_jobs.';
  end if;
  if p_stall_after is not null then
    raise exception 'p_stall_after is not supported in this release'
      using errcode = 'feature_not_supported', hint = 'Leave it out.';
  end if;
  if p_orphan_after is null or p_orphan_after not between interval '1 second' and interval '10 years' then
    raise exception 'p_orphan_after must be between 1 second and 10 years, not %', coalesce(p_orphan_after::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'The default is 5 minutes.';
  end if;
  if p_orphan_after < interval '2 minutes' and not coalesce(nullif(current_setting('arcano.force', true), ''), 'off')::boolean then
    raise exception 'p_orphan_after % is under 2 minutes: jobs that were still initialising have been cancelled that way', p_orphan_after
      using errcode = 'invalid_parameter_value',
        detail = '20 to 30 seconds killed real jobs; 120 to 180 seconds was the least that did not.',
        hint = 'Give at least 2 minutes, or, if you are sure: set arcano.force = on;';
  end if;

  perform from arcano.attach_problems(p_table);
  if found then
    select (array_agg(a.errcode))[1] as errcode,
           string_agg(a.problem, e'\n') as problems,
           coalesce(string_agg(a.mend, e'\n'), '') as mends
      into r
      from arcano.attach_problems(p_table) a;
    raise exception 'cannot attach %', p_table
      using errcode = r.errcode, detail = r.problems, hint = r.mends;
  end if;

  select string_agg(format('add column if not exists %I %s', k.attname, format_type(k.atttypid, k.atttypmod)), ', ' order by k.attnum)
    into v_columns
    from pg_attribute k
   where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
     and not exists (
       select from pg_attribute c where c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
     );
  if v_columns is not null then
    return query select format('alter table %s %s', p_table, v_columns);
  end if;

  -- An index that a failed "create index concurrently" left behind is in the way and of no use.
  return query
    select s.statement
      from pg_class t
      cross join arcano.job_indexes(p_table) with ordinality n
      left join pg_class c on c.relname = n.index_name and c.relnamespace = t.relnamespace
      left join pg_index i on i.indexrelid = c.oid
      cross join lateral (
        values
          (1, format('drop index %s%s', v_concurrently, c.oid::regclass), i.indexrelid is not null),
          (2, format('create index %sif not exists %I %s', v_concurrently, n.index_name, n.definition), true)
      ) s (step, statement, needed)
     where t.oid = p_table and i.indisvalid is not true and s.needed
     order by n.ordinality, s.step;

  -- Plain seconds: a day or a month would depend on the session's time zone and the calendar.
  v_orphan_after := make_interval(secs => extract(epoch from p_orphan_after)::double precision);
  select coalesce(p_tool, s.tool, c.relname) into v_tool
    from pg_class c left join arcano.job_table s on s.job_table = c.oid
   where c.oid = p_table;
  if not exists (
    select from arcano.job_table s
     where s.job_table = p_table and s.tool = v_tool and s.orphan_after = v_orphan_after
  ) then
    return query select format(
      'insert into arcano.job_table (job_table, tool, orphan_after) values (%L, %L, %L) on conflict (job_table) do update set tool = excluded.tool, orphan_after = excluded.orphan_after',
      p_table, v_tool, v_orphan_after);
  end if;

  if not exists (
    select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass
  ) then
    return query select format('alter table %s inherit arcano.job', p_table);
  end if;
end
$$;

comment on function arcano.attach_plan(regclass, text, interval, interval, boolean) is
  'The statements that would attach p_table, in their order; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself.';

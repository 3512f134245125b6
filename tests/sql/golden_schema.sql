CREATE SCHEMA arcano;

COMMENT ON SCHEMA arcano IS 'Arcano DB: a ghost job never blocks a user, and a real job is never cancelled by mistake.';

CREATE TYPE arcano.job_ref AS (
	relid oid,
	id uuid
);

COMMENT ON TYPE arcano.job_ref IS 'A job of an attached table: the table''s oid and the job''s id.';

CREATE FUNCTION arcano.attach_job_table(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT '00:05:00'::interval, p_stall_after interval DEFAULT NULL::interval) RETURNS TABLE(statement text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  -- Two at once: the second waits here, and finds nothing to do.
  lock table arcano.job_table in share row exclusive mode;

  for statement in
    select p.statement from arcano.attach_plan(p_table, p_tool, p_orphan_after, p_stall_after, p_concurrently => false) p
  loop
    execute statement;
    return next;
  end loop;
end
$$;

COMMENT ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) IS 'Attaches p_table: adds the contract columns and partial indexes that it lacks and makes it inherit arcano.job; answers the statements it ran. p_tool: the name people read, by default the table''s. p_orphan_after: how long a job without a sign of life is left alone; under 2 minutes is refused. p_stall_after: reserved. Errors name what is wrong with the table (detail) and the statements that would mend it (hint).';

CREATE FUNCTION arcano.attach_plan(p_table regclass, p_tool text DEFAULT NULL::text, p_orphan_after interval DEFAULT '00:05:00'::interval, p_stall_after interval DEFAULT NULL::interval, p_concurrently boolean DEFAULT true) RETURNS TABLE(statement text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION arcano.attach_plan(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) IS 'The statements that would attach p_table, in their order; runs none of them. Arguments as for attach_job_table; p_concurrently: build the indexes concurrently, for which each statement must run by itself.';

CREATE FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_class pg_class%rowtype;
  v_kind text;
  v_ordinary text;
  v_constraint record;
  v_allowed boolean;
begin
  select c.* into v_class from pg_class c where c.oid = p_table;
  if not found then
    return query select '42P01', format('there is no table %s', p_table), null::text;
    return;
  end if;

  v_ordinary := format('%I.%I', v_class.relnamespace::regnamespace, v_class.relname || '_ordinary');

  -- What kind of relation it is. Nothing else can be said of one that is not an ordinary table.
  select k.kind, k.mend into v_kind, mend
    from (
      values
        (v_class.relispartition, 'a partition', (
          select format('alter table %s detach partition %s;', i.inhparent::regclass, p_table)
            from pg_inherits i where i.inhrelid = p_table)),
        (v_class.relkind = 'p', 'a partitioned table', format(
          'create table %1$s (like %2$s including all); insert into %1$s select * from %2$s; alter table %2$s rename to %3$I; alter table %1$s rename to %4$I;',
          v_ordinary, p_table, v_class.relname || '_partitioned', v_class.relname)),
        (v_class.relkind in ('v', 'm'), 'a view', (
          select string_agg(distinct format('select * from arcano.attach_job_table(%L);', d.refobjid::regclass), ' ')
            from pg_depend d
            join pg_rewrite r on r.oid = d.objid and r.ev_class = p_table
            join pg_class c on c.oid = d.refobjid and c.relkind = 'r'
           where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass)),
        (v_class.relkind <> 'r', 'not an ordinary table', format(
          'create table %s as table %s;', v_ordinary, p_table)),
        (v_class.relpersistence = 't', 'a temporary table', format(
          'create table public.%I (like %s including all);', v_class.relname, p_table)),
        (v_class.relnamespace in ('arcano'::regnamespace, 'pg_catalog'::regnamespace), 'not a table of an app',
          'select oid::regclass from pg_class where relkind = ''r'' and relnamespace <> all (array[''arcano'', ''pg_catalog'', ''information_schema'']::regnamespace[]); -- one of these'),
        (p_table <> 'arcano.job'::regclass and exists (select from pg_inherits i where i.inhparent = p_table),
          'the parent of other tables', (
          select string_agg(format('alter table %s no inherit %s;', i.inhrelid::regclass, p_table), ' ' order by i.inhrelid)
            from pg_inherits i where i.inhparent = p_table))
    ) k (holds, kind, mend)
   where k.holds
   limit 1;
  if found then
    errcode := '42809';
    problem := format('%s is %s; only an ordinary table can be attached', p_table, v_kind);
    return next;
    return;
  end if;

  if not pg_has_role(v_class.relowner, 'usage') then
    return query select '42501', format('%s belongs to %s, and %s is not a member of that role', p_table,
      pg_get_userbyid(v_class.relowner), current_user),
      format('grant %I to %I; -- as a role that may', pg_get_userbyid(v_class.relowner), current_user);
  end if;

  -- A contract column that is there must be exactly as the contract has it.
  return query
    select '42804',
           format('column %I is %s%s%s, the contract has %s', c.attname, format_type(c.atttypid, c.atttypmod),
             case when t.other_collation then ' collate ' || c.attcollation::regcollation end,
             case when c.attgenerated <> '' then ', generated' end, t.wanted),
           format(
             case c.attgenerated
               when 's' then 'alter table %1$s alter column %2$I drop expression;'
               when 'v' then 'alter table %1$s drop column %2$I, add column %2$I %3$s;'
               else 'alter table %1$s alter column %2$I type %3$s%4$s using %5$s;'
             end,
             p_table, c.attname, t.wanted,
             case when t.other_collation then ' collate ' || k.attcollation::regcollation end,
             case
               when k.atttypid = 'timestamptz'::regtype and c.atttypid in ('timestamp'::regtype, 'date'::regtype)
                 then format('%I::timestamp at time zone %L', c.attname, 'UTC')
               when k.atttypid in (c.atttypid, 'text'::regtype) then format('%I::%s', c.attname, t.wanted)
               else format('%I::text::%s', c.attname, t.wanted)
             end)
      from pg_attribute k
      join pg_attribute c on c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
      cross join lateral (
        select format_type(k.atttypid, k.atttypmod),
               c.attcollation <> k.attcollation and c.attcollation <> 0 and k.attcollation <> 0
      ) t (wanted, other_collation)
     where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
       and (c.atttypid <> k.atttypid or c.atttypmod <> k.atttypmod or t.other_collation or c.attgenerated <> '')
     order by k.attnum;

  -- One id is one job.
  if not exists (
    select
      from pg_constraint x
      join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'id'
     where x.conrelid = p_table and x.contype = 'p' and x.conkey = array[a.attnum]
  ) then
    return query
      select '42P16', 'there is no primary key on the column id and nothing else',
        coalesce((
          select format('alter table %s drop constraint %I; ', p_table, x.conname)
            from pg_constraint x where x.conrelid = p_table and x.contype = 'p'
        ), '')
        || case when exists (select from pg_attribute a where a.attrelid = p_table and a.attname = 'id' and not a.attisdropped)
             then format('alter table %s add primary key (id);', p_table)
             else format('alter table %s add column id uuid primary key default gen_random_uuid();', p_table)
           end;
  end if;

  -- A check on status alone is asked whether it lets the rule write 'cancelled'. One that reads other
  -- columns too depends on the row; such a row is isolated when it comes.
  for v_constraint in
    select x.conname, pg_get_expr(x.conbin, x.conrelid) as expression
      from pg_constraint x
      join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'status'
     where x.conrelid = p_table and x.contype = 'c' and x.conkey = array[a.attnum]
       and a.atttypid in ('text'::regtype, 'varchar'::regtype)
     order by x.conname
  loop
    execute format('select (%s) from (values (%L::text)) as t (status)', v_constraint.expression, 'cancelled')
      into v_allowed;
    if v_allowed is false then
      return query select '23514', format('check constraint %I does not allow the status cancelled', v_constraint.conname),
        format('alter table %s drop constraint %I, add constraint %I check (%s or status = %L);', p_table,
          v_constraint.conname, v_constraint.conname, v_constraint.expression, 'cancelled');
    end if;
  end loop;

  -- The names of the package's indexes must be free, or be those indexes.
  return query
    select '42P07', format('the name %s is taken by something else, and is needed for an index', c.oid::regclass),
           format('alter %s %s rename to %I;',
             case c.relkind when 'i' then 'index' when 'S' then 'sequence' when 'v' then 'view'
               when 'm' then 'materialized view' else 'table' end,
             c.oid::regclass, left(c.relname, 55) || '_renamed')
      from arcano.job_indexes(p_table) n
      join pg_class c on c.relname = n.index_name and c.relnamespace = v_class.relnamespace
      left join pg_index i on i.indexrelid = c.oid
     where i.indrelid is distinct from p_table;
end
$_$;

COMMENT ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) IS 'Why p_table cannot be attached: SQLSTATE, reason and the statement that would mend it; no row: it can be attached.';

CREATE FUNCTION arcano.cancel_session(p_user_id uuid DEFAULT NULL::uuid, p_session_id text DEFAULT NULL::text, p_reason text DEFAULT NULL::text) RETURNS TABLE(job_table text, job_id uuid, refunded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_jobs arcano.job_ref[];
begin
  if p_user_id is null and p_session_id is null then
    raise exception 'cancel_session needs p_user_id, p_session_id, or both'
      using errcode = 'invalid_parameter_value', detail = 'Both are null.',
        hint = 'Name the user or the session whose waiting jobs are to be cancelled.';
  end if;

  select array_agg((j.tableoid, j.id)::arcano.job_ref) into v_jobs
    from arcano.job j
   where arcano.is_waiting(j.status)
     and (p_user_id is null or j.user_id = p_user_id)
     and (p_session_id is null or j.session_id = p_session_id);

  return query
    select arcano.table_name(j.tableoid), j.id, j.credits_refunded is true
      from arcano.end_jobs(v_jobs, 'cancel_session', coalesce(p_reason, 'Session cancelled')) e
      join arcano.job j on j.id = (e.job).id and j.tableoid = (e.job).relid
     where e.error is null
     order by 1, 2;
end
$$;

COMMENT ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) IS 'Cancels the waiting jobs of user p_user_id or session p_session_id (both given: both must match), with p_reason as their error_message, and answers a row for each. Working jobs are never touched. Neither given: an error.';

CREATE FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_orphans arcano.job_ref[];
  v_ignored arcano.job_ref[] := '{}';
begin
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Pass the id of the user who wants to start a job.';
  end if;

  healed := 0;
  has_active_job := exists (
    select from arcano.job j where j.user_id = p_user_id and arcano.is_active(j.status)
  );
  if not has_active_job then
    return;
  end if;

  -- The second round asks again after the orphans that the first one found were healed. One that
  -- could not be ended is ignored; one still there was locked.
  for v_round in 1..2 loop
    select o.tool, o.job_table, o.status, o.job_id, o.created_at, o.started_at, o."position",
           case when count(*) over () = count(o.heals_at) over () then max(o.heals_at) over () end,
           array_agg((o.relid, o.job_id)::arcano.job_ref) filter (where o.is_orphan) over ()
      into active_tool, active_table, active_status, active_job_id, created_at, started_at, "position",
           heals_at, v_orphans
      from arcano.open_job o
     where o.user_id = p_user_id
       and (o.relid, o.job_id)::arcano.job_ref <> all (v_ignored)
     order by o.is_waiting, o.created_at, o.job_id, o.relid
     limit 1;
    has_active_job := found;
    exit when v_orphans is null or v_round = 2;

    if current_setting('transaction_read_only')::boolean then
      v_ignored := v_orphans;
    else
      select count(*) filter (where e.error is null),
             coalesce(array_agg(e.job) filter (where e.error is not null), '{}')
        into healed, v_ignored
        from arcano.end_jobs(v_orphans, 'check') e;
    end if;
  end loop;
end
$$;

COMMENT ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) IS 'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled.';

CREATE FUNCTION arcano.detach_job_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_index regclass;
begin
  lock table arcano.job_table in share row exclusive mode;

  if not exists (select from arcano.job_table s where s.job_table = p_table)
    and not exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass)
  then
    raise exception '% is not attached', coalesce(p_table::text, 'null')
      using errcode = 'undefined_object',
        detail = coalesce(
          (select 'Attached: ' || string_agg(s.job_table::text, ', ' order by s.job_table::text) from arcano.job_table s),
          'No table is attached.'),
        hint = 'Name an attached table with its schema.';
  end if;

  if exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass) then
    execute format('alter table %s no inherit arcano.job', p_table);
  end if;

  for v_index in
    select i.indexrelid
      from arcano.job_indexes(p_table) n
      join pg_class c on c.relname = n.index_name
      join pg_index i on i.indexrelid = c.oid and i.indrelid = p_table
  loop
    execute format('drop index %s', v_index);
  end loop;

  delete from arcano.job_table s where s.job_table = p_table;
end
$$;

COMMENT ON FUNCTION arcano.detach_job_table(p_table regclass) IS 'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';

CREATE FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text DEFAULT NULL::text, OUT job arcano.job_ref, OUT error text) RETURNS SETOF record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_message constant text :=
    coalesce(p_reason, 'Auto-clean: orphan queued job (client failed before enqueue/run)');
  v_locked arcano.job_ref[];
  v_wanted integer;
  v_ended arcano.job_ref[];
  v_sqlstate text;
begin
  begin
    -- Found by id alone: with a condition on status here, the planner may walk a partial index.
    select array_agg(l.job) into v_locked
      from (
        select (j.tableoid, j.id)::arcano.job_ref as job
          from unnest(p_jobs) r
          join arcano.job j on j.id = r.id and j.tableoid = r.relid
           for update of j skip locked
      ) l;

    with wanted as materialized (
      select o.relid, o.job_id, o.job_table, o.user_id, arcano.job_row(o.relid, o.job_id) as job_before
        from unnest(v_locked) r
        join arcano.open_job o on o.job_id = r.id and o.relid = r.relid
       where case when p_reason is null then o.is_orphan else o.is_waiting end
    ), ended as (
      update arcano.job j
         set status = 'cancelled', completed_at = now(), error_message = v_message
        from wanted w
       where j.id = w.job_id and j.tableoid = w.relid
      returning w.relid, w.job_id, w.job_table, w.user_id, w.job_before, j.status
    ), journaled as (
      insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
      select 'cancelled', p_source, v_message, e.job_table, e.job_id, e.user_id, e.job_before
        from ended e
    )
    select count(*), array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.status = 'cancelled')
      into v_wanted, v_ended
      from wanted w
      left join ended e on e.relid = w.relid and e.job_id = w.job_id;

    if v_wanted <> coalesce(cardinality(v_ended), 0) then
      raise exception 'a trigger of the job table suppressed or changed the update'
        using errcode = 'triggered_data_change_violation';
    end if;
  exception
    when others then
      if cardinality(p_jobs) > 1 then
        return query
          select e.job, e.error
            from unnest(p_jobs) r cross join lateral arcano.end_jobs(array[r], p_source, p_reason) e;
        return;
      end if;

      job := p_jobs[1];
      get stacked diagnostics v_sqlstate = returned_sqlstate, error = message_text;
      error := v_sqlstate || ': ' || error;
      -- Not for the check: it may be asked many times a second, and the sweep says it too.
      if p_source <> 'check' then
        insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
        select 'error', p_source, error, o.job_table, o.job_id, o.user_id, arcano.job_row(o.relid, o.job_id)
          from arcano.open_job o
         where o.job_id = job.id and o.relid = job.relid;
      end if;
      return next;
      return;
  end;

  return query select r::arcano.job_ref, null::text from unnest(v_ended) r;
end
$$;

COMMENT ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text, OUT job arcano.job_ref, OUT error text) IS 'Internal: cancels those of p_jobs that wait, or with no p_reason those that are orphans, and journals them. Answers a row for each job ended, and with its error for each that could not be.';

CREATE FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) RETURNS timestamp with time zone
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
  select case
    when arcano.is_waiting(p_status)
      and p_task_id is null
      and p_started_at is null
      and coalesce(p_position, 0) = 0
      and p_waited_in_queue is not true
      and p_orphan_exempt is not true
      and not coalesce(p_credits_charged, p_user_credit_cost > 0, false)
      and p_created_at is not null
    then
      least(
        greatest(
          p_created_at,
          least(coalesce(p_heartbeat_at, p_created_at), least(p_created_at, '200000-01-01 00:00+00') + p_touch_limit)
        ),
        '200000-01-01 00:00+00'
      ) + p_orphan_after
  end
$$;

COMMENT ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) IS 'The orphan rule: when the job that has these columns becomes an orphan, given its table''s settings; null: never.';

CREATE FUNCTION arcano.is_active(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ select p_status = any (arcano.waiting_statuses() || arcano.working_statuses()) $$;

COMMENT ON FUNCTION arcano.is_active(p_status text) IS 'Whether a job of this status is waiting or being worked on, and so blocks its user unless it is an orphan.';

CREATE FUNCTION arcano.is_waiting(p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ select p_status = any (arcano.waiting_statuses()) $$;

COMMENT ON FUNCTION arcano.is_waiting(p_status text) IS 'Whether a job of this status waits to be worked on.';

CREATE FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) RETURNS SETOF record
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select case
           when octet_length(c.relname || d.suffix) < 64 then c.relname || d.suffix
           else left(c.relname, 20) || '_' || left(md5(c.relname), 12) || d.suffix
         end,
         format('on %s (%I) where status = any (%L::text[])', c.oid::regclass, d.key, d.statuses)
    from pg_class c
    cross join (
      values
        -- the active jobs of a user: check_user_active, cancel_session by user
        ('_arcano_active', 'user_id', arcano.waiting_statuses() || arcano.working_statuses()),
        -- the waiting jobs by age: sweep_orphans, cancel_session by session
        ('_arcano_waiting', 'created_at', arcano.waiting_statuses())
    ) d (suffix, key, statuses)
   where c.oid = p_table
$$;

COMMENT ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) IS 'The names and definitions of the partial indexes that attaching gives to p_table.';

CREATE FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_row jsonb;
begin
  begin
    execute format('select to_jsonb(t) from only %s t where t.id = $1', p_relid::regclass)
      into v_row using p_job_id;
  exception
    when insufficient_privilege then null;
  end;
  if v_row is null then
    select to_jsonb(j) into v_row from arcano.job j where j.id = p_job_id and j.tableoid = p_relid;
  end if;
  return v_row;
end
$_$;

COMMENT ON FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) IS 'The row of job p_job_id of table p_relid with all columns of that table, or null.';

CREATE FUNCTION arcano.sweep_orphans(p_limit integer DEFAULT 1000) RETURNS TABLE(job_table text, cancelled integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_jobs arcano.job_ref[];
  v_ended arcano.job_ref[];
  v_failed integer;
begin
  if p_limit is null or p_limit < 1 then
    raise exception 'p_limit must be 1 or more, not %', coalesce(p_limit::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is the most jobs that one call may cancel, such as 1000.';
  end if;

  select array_agg(c.job) into v_jobs
    from (
      select (j.tableoid, j.id)::arcano.job_ref as job
        from arcano.open_job o
        join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
       where o.is_orphan
         and not exists (
           select
             from arcano.job_event e
            where e.job_id = o.job_id and e.event = 'error'
           having now() < max(e.created_at)
             + least('1 day', greatest('5 minutes', max(e.created_at) - min(e.created_at)))
         )
       order by o.created_at
       limit p_limit
         for update of j skip locked
    ) c;

  select coalesce(array_agg(e.job) filter (where e.error is null), '{}'),
         count(*) filter (where e.error is not null)
    into v_ended, v_failed
    from arcano.end_jobs(v_jobs, 'sweep') e;

  insert into arcano.sweep_run (started_at, cancelled, failed)
  values (v_started_at, cardinality(v_ended), v_failed);

  return query
    select arcano.table_name(r.relid), count(*)::integer
      from unnest(v_ended) r
     group by r.relid
     order by 1;
end
$$;

COMMENT ON FUNCTION arcano.sweep_orphans(p_limit integer) IS 'Cancels at most p_limit orphans, the oldest first, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. Fewer than p_limit in all: nothing more to do now.';

CREATE FUNCTION arcano.table_name(p_relid oid) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return p_relid::regclass::text;
end
$$;

COMMENT ON FUNCTION arcano.table_name(p_relid oid) IS 'Schema and name of the table p_relid, quoted where needed, such as public.upscaler_jobs.';

CREATE FUNCTION arcano.waiting_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['pending'::text, 'queued'::text];

COMMENT ON FUNCTION arcano.waiting_statuses() IS 'The statuses of a job that waits to be worked on.';

CREATE FUNCTION arcano.working_statuses() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['starting'::text, 'running'::text];

COMMENT ON FUNCTION arcano.working_statuses() IS 'The statuses of a job that is being worked on.';

CREATE TABLE arcano.job (
    id uuid,
    user_id uuid,
    session_id text,
    status text,
    task_id text,
    "position" integer,
    waited_in_queue boolean,
    user_credit_cost integer,
    credits_charged boolean,
    credits_refunded boolean,
    created_at timestamp with time zone,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    heartbeat_at timestamp with time zone,
    attempt integer,
    orphan_exempt boolean,
    api_account text,
    error_message text,
    CONSTRAINT job_has_no_rows_of_its_own CHECK (false) NO INHERIT
);

COMMENT ON TABLE arcano.job IS 'The contract of a job table, and the parent of every attached one. It has no rows of its own.';

COMMENT ON COLUMN arcano.job.id IS 'Made by the client, so that creating a job twice is one job.';

COMMENT ON COLUMN arcano.job.session_id IS 'One page visit.';

COMMENT ON COLUMN arcano.job.status IS 'waiting: pending, queued; working: starting, running; ended: completed, failed, cancelled; any other value never blocks.';

COMMENT ON COLUMN arcano.job.task_id IS 'The provider''s id; null until the provider took the job.';

COMMENT ON COLUMN arcano.job."position" IS 'Null or 0 until the job enters the real queue; then its place when it entered, 1 or more.';

COMMENT ON COLUMN arcano.job.waited_in_queue IS 'The job entered the real queue.';

COMMENT ON COLUMN arcano.job.credits_charged IS 'Null: unknown, and then a user_credit_cost above 0 counts as charged.';

COMMENT ON COLUMN arcano.job.heartbeat_at IS 'The last sign of life from a slow client or a worker.';

COMMENT ON COLUMN arcano.job.attempt IS 'Counts starts.';

COMMENT ON COLUMN arcano.job.orphan_exempt IS 'An operator put the job back: the orphan rule leaves it alone.';

COMMENT ON COLUMN arcano.job.api_account IS 'The provider account whose slot the job holds.';

CREATE TABLE arcano.job_table (
    job_table regclass NOT NULL,
    tool text NOT NULL,
    orphan_after interval DEFAULT '00:05:00'::interval NOT NULL,
    touch_limit interval DEFAULT '01:00:00'::interval NOT NULL,
    stall_after interval,
    attached_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_table_orphan_after_in_range CHECK (((orphan_after > '00:00:00'::interval) AND (orphan_after <= '10 years'::interval))),
    CONSTRAINT job_table_touch_limit_in_range CHECK (((touch_limit >= '00:00:00'::interval) AND (touch_limit <= '10 years'::interval)))
);

COMMENT ON TABLE arcano.job_table IS 'The attached job tables and their settings.';

COMMENT ON COLUMN arcano.job_table.tool IS 'The name that people read: active_tool of check_user_active.';

COMMENT ON COLUMN arcano.job_table.orphan_after IS 'How long a job without any sign of life is left alone. attach_job_table refuses less than 2 minutes: real clients were seen to need that long.';

COMMENT ON COLUMN arcano.job_table.touch_limit IS 'How long after created_at a heartbeat still protects a job: an open tab must not keep a ghost alive for ever.';

COMMENT ON COLUMN arcano.job_table.stall_after IS 'Reserved for ending stalled jobs; must be null in this release.';

CREATE VIEW arcano.open_job AS
 SELECT j.tableoid AS relid,
    arcano.table_name(j.tableoid) AS job_table,
    t.tool,
    j.id AS job_id,
    j.user_id,
    j.session_id,
    j.status,
    arcano.is_waiting(j.status) AS is_waiting,
    j.created_at,
    j.started_at,
    j."position",
    h.heals_at,
    (arcano.is_waiting(j.status) AND COALESCE((h.heals_at < now()), false)) AS is_orphan
   FROM ((arcano.job j
     LEFT JOIN arcano.job_table t ON (((t.job_table)::oid = j.tableoid)))
     CROSS JOIN LATERAL ( SELECT arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit) AS heals_at) h(heals_at))
  WHERE arcano.is_active(j.status);

COMMENT ON VIEW arcano.open_job IS 'Every waiting or working job of every attached table, with what the orphan rule says about it.';

COMMENT ON COLUMN arcano.open_job.heals_at IS 'When the rule makes the job an orphan if nothing more happens; null: never.';

COMMENT ON COLUMN arcano.open_job.is_orphan IS 'Whether the job is an orphan now.';

CREATE VIEW arcano.active_job AS
 SELECT job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    created_at,
    started_at,
    "position",
    heals_at
   FROM arcano.open_job o
  WHERE (NOT is_orphan);

COMMENT ON VIEW arcano.active_job IS 'The jobs that block their users: waiting or being worked on, and not an orphan.';

COMMENT ON COLUMN arcano.active_job.heals_at IS 'When the rule makes the job an orphan if nothing more happens; null: never.';

CREATE TABLE arcano.job_event (
    event_id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    event text NOT NULL,
    source text NOT NULL,
    reason text NOT NULL,
    job_table text NOT NULL,
    job_id uuid NOT NULL,
    user_id uuid,
    job_before jsonb NOT NULL,
    CONSTRAINT job_event_event_is_known CHECK ((event = ANY (ARRAY['cancelled'::text, 'error'::text]))),
    CONSTRAINT job_event_source_is_known CHECK ((source = ANY (ARRAY['check'::text, 'sweep'::text, 'cancel_session'::text])))
);

COMMENT ON TABLE arcano.job_event IS 'The journal: one row for every job that the package ended, written in the transaction that ended it, and one for every job that the sweep could not end.';

COMMENT ON COLUMN arcano.job_event.event IS 'cancelled, or error: the job could not be cancelled, and reason says why.';

COMMENT ON COLUMN arcano.job_event.source IS 'What did it: check (check_user_active), sweep (sweep_orphans) or cancel_session.';

COMMENT ON COLUMN arcano.job_event.reason IS 'Why: the message written to the job, or SQLSTATE and message of the error.';

COMMENT ON COLUMN arcano.job_event.job_table IS 'Schema and table, as it was called then.';

COMMENT ON COLUMN arcano.job_event.job_before IS 'The whole row as it was before, with the table''s own columns.';

ALTER TABLE arcano.job_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.job_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW arcano.orphan_job AS
 SELECT job_table,
    tool,
    job_id,
    user_id,
    session_id,
    status,
    created_at,
    heals_at AS orphan_since
   FROM arcano.open_job o
  WHERE is_orphan;

COMMENT ON VIEW arcano.orphan_job IS 'The jobs that the orphan rule ends at the next check of their user or the next sweep.';

COMMENT ON COLUMN arcano.orphan_job.orphan_since IS 'Since when the job is an orphan.';

CREATE TABLE arcano.release (
    only_one boolean DEFAULT true NOT NULL,
    source_fingerprint text NOT NULL,
    loaded_fingerprint text NOT NULL,
    loaded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT release_only_one_check CHECK (only_one)
);

COMMENT ON TABLE arcano.release IS 'Which functions and views are loaded; arcano-db status reads it.';

COMMENT ON COLUMN arcano.release.source_fingerprint IS 'Of the files of sql/ that were loaded.';

COMMENT ON COLUMN arcano.release.loaded_fingerprint IS 'Of the functions and views as the database kept them: differs from a fresh one when somebody edited them by hand.';

CREATE TABLE arcano.sweep_run (
    sweep_run_id bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    cancelled integer NOT NULL,
    failed integer NOT NULL
);

COMMENT ON TABLE arcano.sweep_run IS 'One row for every sweep, idle or not: the newest says whether anybody sweeps.';

COMMENT ON COLUMN arcano.sweep_run.cancelled IS 'Jobs cancelled.';

COMMENT ON COLUMN arcano.sweep_run.failed IS 'Jobs that could not be cancelled; each has an error in job_event.';

ALTER TABLE arcano.sweep_run ALTER COLUMN sweep_run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME arcano.sweep_run_sweep_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY arcano.job_event
    ADD CONSTRAINT job_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY arcano.job_table
    ADD CONSTRAINT job_table_pkey PRIMARY KEY (job_table);

ALTER TABLE ONLY arcano.release
    ADD CONSTRAINT release_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY arcano.sweep_run
    ADD CONSTRAINT sweep_run_pkey PRIMARY KEY (sweep_run_id);

CREATE INDEX job_event_job ON arcano.job_event USING btree (job_id, event_id);

GRANT USAGE ON SCHEMA arcano TO arcano_backend;
GRANT USAGE ON SCHEMA arcano TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.attach_job_table(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_plan(p_table regclass, p_tool text, p_orphan_after interval, p_stall_after interval, p_concurrently boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.attach_problems(p_table regclass, OUT errcode text, OUT problem text, OUT mend text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.cancel_session(p_user_id uuid, p_session_id text, p_reason text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) TO arcano_backend;
GRANT ALL ON FUNCTION arcano.check_user_active(p_user_id uuid, OUT has_active_job boolean, OUT active_tool text, OUT active_table text, OUT active_status text, OUT active_job_id uuid, OUT created_at timestamp with time zone, OUT started_at timestamp with time zone, OUT "position" integer, OUT heals_at timestamp with time zone, OUT healed integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.detach_job_table(p_table regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.end_jobs(p_jobs arcano.job_ref[], p_source text, p_reason text, OUT job arcano.job_ref, OUT error text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.heals_at(p_status text, p_task_id text, p_position integer, p_waited_in_queue boolean, p_user_credit_cost integer, p_credits_charged boolean, p_created_at timestamp with time zone, p_started_at timestamp with time zone, p_heartbeat_at timestamp with time zone, p_orphan_exempt boolean, p_orphan_after interval, p_touch_limit interval) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_active(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_active(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.is_waiting(p_status text) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.is_waiting(p_status text) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.job_indexes(p_table regclass, OUT index_name text, OUT definition text) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.job_row(p_relid oid, p_job_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION arcano.sweep_orphans(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.sweep_orphans(p_limit integer) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.table_name(p_relid oid) FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.table_name(p_relid oid) TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.waiting_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.waiting_statuses() TO arcano_operator;

REVOKE ALL ON FUNCTION arcano.working_statuses() FROM PUBLIC;
GRANT ALL ON FUNCTION arcano.working_statuses() TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_table TO arcano_operator;

GRANT SELECT ON TABLE arcano.active_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.job_event TO arcano_operator;

GRANT SELECT ON TABLE arcano.orphan_job TO arcano_operator;

GRANT SELECT ON TABLE arcano.sweep_run TO arcano_operator;

-- The functions and views of the release whose last migration was 0005.users, as its load runs them.

-- One loader at a time: the lock is the transaction's, so nothing can be left behind.
do $load$
begin
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('arcano load-sql', 0));
end
$load$;
set client_min_messages = warning;
set search_path = pg_catalog, pg_temp;
-- Functions may call each other whatever their order, and name what a view is yet to define.
set check_function_bodies = off;

-- What the load touches gets a new row version; what has no file keeps its old one.
do $load$
begin
  perform set_config('arcano.functions_before', coalesce((
    select jsonb_object_agg(p.oid::regprocedure, p.xmin::text)::text
      from pg_proc p where p.pronamespace = 'arcano'::regnamespace), '{}'), false);
end
$load$;

-- The statuses of a job that waits. This list and that of working_statuses() stand nowhere else; a
-- status in neither never blocks anybody. A change here needs the partial indexes of every attached
-- table to be made again.
create or replace function arcano.waiting_statuses()
returns text[]
language sql immutable parallel safe
return array['pending', 'queued'];

comment on function arcano.waiting_statuses() is
  'The statuses of a job that waits to be worked on.';

-- The statuses of a job that is being worked on.
create or replace function arcano.working_statuses()
returns text[]
language sql immutable parallel safe
return array['starting', 'running'];

comment on function arcano.working_statuses() is
  'The statuses of a job that is being worked on.';

-- True for a waiting status. It folds to "status = any (constant)" in a plan, which is part of the
-- predicates of each attached table's partial indexes of waiting jobs.
create or replace function arcano.is_waiting(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.waiting_statuses());

comment on function arcano.is_waiting(text) is
  'Whether a job of this status waits to be worked on.';

-- True for a status of a job that is being worked on, and so holds a slot of its api_account. It folds
-- to "status = any (constant)" in a plan, which is the predicate of each attached table's partial index
-- of working jobs.
create or replace function arcano.is_working(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.working_statuses());

comment on function arcano.is_working(text) is
  'Whether a job of this status is being worked on.';

-- Whether a job ever entered the line. What it folds to in a plan is part of the predicates of each
-- attached table's indexes of the waiting jobs.
create or replace function arcano.entered_line(p_position integer, p_waited_in_queue boolean)
returns boolean
language sql immutable parallel safe
return p_waited_in_queue is true or coalesce(p_position, 0) <> 0;

comment on function arcano.entered_line(integer, boolean) is
  'Whether a job with this position and waited_in_queue entered the real queue.';

-- Whether the user paid for a job. Where nobody wrote it down, a cost above 0 counts as charged.
create or replace function arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer)
returns boolean
language sql immutable parallel safe
return coalesce(p_credits_charged, p_user_credit_cost > 0, false);

comment on function arcano.is_charged(boolean, integer) is
  'Whether a job with these credits_charged and user_credit_cost was charged.';

-- The provider's webhook: it knows its task, and not the job. It may come before start_job has brought the
-- task_id: then it is kept, and start_job applies it.
create or replace function arcano.finish_task(
  p_task_id arcano.job.task_id%type,
  p_status text default 'completed',
  p_error text default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out job_id arcano.job.id%type
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_attempt integer;
begin
  perform arcano.refuse_end(p_status);
  if p_task_id is null then
    raise exception 'p_task_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'It is the id that the provider gave the task.';
  end if;

  -- In the second round for a start_job that was committed since the first one looked.
  for v_round in 1..2 loop
    select t.job_id, t.attempt into job_id, v_attempt from arcano.task t where t.task_id = p_task_id and t.job_id is not null;
    if not found then
      -- Who writes task_id into the row, and not with start_job, is served too.
      select j.id into job_id from arcano.job j where arcano.is_active(j.status) and j.task_id = p_task_id limit 1;
    end if;
    if job_id is not null then
      select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
        from arcano.finish_job(job_id, p_status, p_error, v_attempt) f;
      return;
    end if;

    insert into arcano.task (task_id, status, error) values (p_task_id, p_status, p_error)
    on conflict do nothing;
    exit when found;
  end loop;
  changed := false;
  note := 'kept until start_job brings this task_id';
end
$$;

comment on function arcano.finish_task(text, text, text) is
  'finish_job for the job whose task_id is p_task_id, at the attempt that the provider got it for. If no job has that task_id yet, changed is false, and the call is kept for 30 days and applied by the start_job that brings it; of two such calls the first one counts.';

-- What tells a backend from a caller who speaks for one user alone: a backend may call this function, which ends
-- any job by its task. Said once, for is_trusted and is_gateway.
create or replace function arcano.backend_function()
returns regprocedure
language sql immutable parallel safe
return 'arcano.finish_task(text, text, text)'::regprocedure;

comment on function arcano.backend_function() is
  'Internal: the function that backends alone may call.';

-- The role that a call acts as: the one that the session has set, or else its login. Inside of a security
-- definer function current_user says only who owns that.
create or replace function arcano.acting_role()
returns name
language sql stable parallel safe
return coalesce(nullif(current_setting('role'), 'none')::name, session_user);

comment on function arcano.acting_role() is
  'Internal: the role that this call acts as, from set role or else the login.';

-- Makes a table a job table, in one transaction, and says which statements that took. Again is a
-- no-op that updates the settings. The table is locked until the transaction ends: for a live one use
-- arcano-db attach, or run what attach_plan answers.
create or replace function arcano.attach_job_table(
  p_table regclass,
  p_tool text default null,
  p_orphan_after interval default '5 minutes',
  p_stall_after interval default null
)
returns table (statement text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
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

comment on function arcano.attach_job_table(regclass, text, interval, interval) is
  'Attaches p_table: adds the contract columns and partial indexes that it lacks and makes it inherit arcano.job; answers the statements it ran. p_tool: the name people read, by default the table''s. p_orphan_after: how long a job without a sign of life is left alone; under 2 minutes is refused. p_stall_after: how long a job that is worked on may be without a sign of life before the sweep ends it as failed, null: for ever. set_job_table sets what else there is. Errors name what is wrong with the table (detail) and the statements that would mend it (hint).';

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
  v_settings arcano.job_table%rowtype;
  v_new arcano.job_table%rowtype;
  v_concurrently constant text := case when p_concurrently then 'concurrently ' else '' end;
  v_columns text;
  r record;
begin
  if p_table is null then
    raise exception 'p_table must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Name the table with its schema, such as public.upscaler_jobs.';
  end if;
  select t.* into v_settings from arcano.job_table t where t.job_table = p_table;
  v_new := v_settings;
  v_new.tool := coalesce(p_tool, v_settings.tool, (select c.relname from pg_class c where c.oid = p_table));
  v_new.orphan_after := arcano.plain_seconds(p_orphan_after);
  v_new.stall_after := arcano.plain_seconds(p_stall_after);
  v_new.touch_limit := coalesce(v_settings.touch_limit, '1 hour');
  perform arcano.refuse_settings(v_new);

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

  if (v_new.tool, v_new.orphan_after, v_new.stall_after)
    is distinct from (v_settings.tool, v_settings.orphan_after, v_settings.stall_after)
  then
    return query select format(
      'insert into arcano.job_table (job_table, tool, orphan_after, stall_after) values (%L, %L, %L, %L) on conflict (job_table) do update set tool = excluded.tool, orphan_after = excluded.orphan_after, stall_after = excluded.stall_after',
      p_table, v_new.tool, v_new.orphan_after, v_new.stall_after);
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

-- Why a table cannot be attached, and the statement that would mend each reason; no row: it can.
-- Every reason is told at once, so that nobody has to mend and try again one by one.
create or replace function arcano.attach_problems(
  p_table regclass,
  out errcode text,
  out problem text,
  out mend text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_class pg_class%rowtype;
  v_kind text;
  v_ordinary text;
  v_constraint record;
  v_allowed boolean;
begin
  select c.* into v_class from pg_class c where c.oid = p_table;
  if not found then
    return query select '42P01', format('there is no table %s', p_table), 'select oid::regclass from pg_class where relkind = ''r''; -- one of these';
    return;
  end if;

  v_ordinary := format('%I.%I', v_class.relnamespace::regnamespace, v_class.relname || '_ordinary');

  -- What kind of relation it is. Nothing else can be said of one that is not an ordinary table.
  select k.kind, k.mend into v_kind, mend
    from (
      values
        (v_class.relnamespace in ('arcano'::regnamespace, 'pg_catalog'::regnamespace), 'not a table of an app',
          'select oid::regclass from pg_class where relkind = ''r'' and relnamespace <> all (array[''arcano'', ''pg_catalog'', ''information_schema'']::regnamespace[]); -- one of these'),
        (v_class.relispartition, 'a partition', (
          select format('alter table %s detach partition %s;', i.inhparent::regclass, p_table)
            from pg_inherits i where i.inhrelid = p_table)),
        (v_class.relkind = 'p', 'a partitioned table', format(
          'create table %1$s (like %2$s including all); insert into %1$s select * from %2$s; alter table %2$s rename to %3$I; alter table %1$s rename to %4$I;',
          v_ordinary, p_table, v_class.relname || '_partitioned', v_class.relname)),
        (v_class.relkind in ('v', 'm'), 'a view', coalesce((
          select string_agg(distinct format('select * from arcano.attach_job_table(%L);', d.refobjid::regclass), ' ')
            from pg_depend d
            join pg_rewrite r on r.oid = d.objid and r.ev_class = p_table
            join pg_class c on c.oid = d.refobjid and c.relkind = 'r'
           where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass),
          format('create table %s as table %s;', v_ordinary, p_table))),
        (v_class.relkind <> 'r', 'not an ordinary table', format(
          'create table %s as table %s;', v_ordinary, p_table)),
        (v_class.relpersistence = 't', 'a temporary table', format(
          'create table public.%I (like %s including all);', v_class.relname, p_table)),
        (exists (select from pg_inherits i where i.inhparent = p_table),
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
$$;

comment on function arcano.attach_problems(regclass) is
  'Why p_table cannot be attached: SQLSTATE, reason and the statement that would mend it; no row: it can be attached.';

-- Remembers which job a provider's task belongs to, and applies the finish_task that came before this was
-- known. A provider that gives a task_id again means the newer job.
create or replace function arcano.bind_task(
  p_task_id text,
  p_job_id arcano.job.id%type,
  p_attempt integer
)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task record;
begin
  insert into arcano.task as t (task_id, job_table, job_id, attempt)
  select p_task_id, j.tableoid, j.id, p_attempt from arcano.job j where j.id = p_job_id
  on conflict (task_id) do update
     set job_table = excluded.job_table, job_id = excluded.job_id, attempt = excluded.attempt
  returning t.status, t.error into v_task;
  if v_task.status is null then
    return false;
  end if;

  update arcano.task t set status = null, error = null where t.task_id = p_task_id;
  return (select f.changed from arcano.finish_job(p_job_id, v_task.status, v_task.error, p_attempt) f);
end
$$;

comment on function arcano.bind_task(text, uuid, integer) is
  'Internal: notes that p_task_id is attempt p_attempt of job p_job_id, and answers whether an earlier finish_task has now ended that job.';

-- Calls the app's own function, and raises if it answers false.
--
-- Dynamic, because which function that is is not known before.
create or replace function arcano.call_refund_function(p_function text, p_refund arcano.refund)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_answer text;
begin
  if to_regprocedure(p_function) is null then
    raise exception 'the refund function % is not there any more', p_function
      using errcode = 'undefined_function', hint = 'Make it again, or set another: select arcano.set_refund_function(...);';
  end if;
  execute format('select %s($1, $2, $3)', to_regprocedure(p_function)::oid::regproc)
    into v_answer
    using p_refund.user_id, p_refund.amount,
      format('%s/%s/%s', arcano.table_name(p_refund.job_table), p_refund.job_id, p_refund.kind);
  if v_answer in ('f', 'false') then
    raise exception '% answered false', p_function using errcode = 'raise_exception';
  end if;
end
$$;

comment on function arcano.call_refund_function(text, arcano.refund) is
  'Internal: calls p_function with user, amount and reference of p_refund.';

-- Which user a caller is who may act for one user alone. Nobody is an error, and never the service.
--
-- Dynamic, because which function the operator registered is not known before.
create or replace function arcano.caller_id()
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function text;
  v_gateway boolean;
  v_user_id arcano.job.user_id%type;
begin
  select s.identity_function into v_function from arcano.setting s;
  v_gateway := v_function is null and arcano.is_gateway();
  if v_function is not null then
    execute format('select %s()', to_regprocedure(v_function)::oid::regproc) into v_user_id;
  elsif v_gateway then
    v_user_id := arcano.claimed_user();
  end if;
  if v_user_id is null then
    raise exception 'it is not known which user calls'
      using errcode = 'insufficient_privilege',
        detail = case
          when v_function is not null then format('%s names nobody.', v_function)
          when v_gateway then 'None of request.jwt.claims, request.jwt.claim.sub and arcano.user_id names a user, or two of them name two.'
          else format('%s may not act as a backend, and so what this session has set is not believed.', session_user)
        end,
        hint = case
          when v_function is null and not v_gateway then
            'An operator can register a function that knows the user of a login: select arcano.set_identity_function(...);'
          else 'Sign in.'
        end;
  end if;
  return v_user_id;
end
$$;

comment on function arcano.caller_id() is
  'Internal: the user that an arcano_user caller is, from the registered function or what a gateway has set; raises if that is nobody.';

-- Cancels one job: a waiting one freely, a working one only if the caller insists, because a provider may
-- go on with it and charge for it. Waits for no row's lock.
create or replace function arcano.cancel_job(
  p_job_id arcano.job.id%type,
  p_force boolean default false,
  p_reason text default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out refunded boolean
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_error text;
  v_why text;
begin
  if not arcano.is_trusted() then
    perform arcano.refuse_strange_job(p_job_id);
    if p_force then
      raise exception 'only a backend may cancel a job that is being worked on'
        using errcode = 'insufficient_privilege', hint = 'Leave p_force out.';
    end if;
  end if;
  changed := false;
  select j.tableoid as relid, j.status, j.api_account into v_job from arcano.job j where j.id = p_job_id;
  if arcano.is_waiting(v_job.status) or p_force and arcano.is_working(v_job.status) then
    select e.error into v_error
      from arcano.end_jobs(
        array[(v_job.relid, p_job_id)::arcano.job_ref], 'cancel_job',
        case when arcano.is_waiting(v_job.status) then 'waiting' else 'forced' end,
        coalesce(p_reason, 'Cancelled')
      ) e;
    changed := found and v_error is null;
    v_why := coalesce(v_error, 'somebody is changing this job at this moment: try again');
  elsif arcano.is_working(v_job.status) then
    v_why := format('it is %s: p_force cancels it all the same', v_job.status);
  end if;

  select u.status, u.attempt, coalesce(v_why, u.note) into status, attempt, note from arcano.unchanged_job(p_job_id) u;
  if changed then
    note := null;
  end if;
  refunded := changed and exists (select from arcano.job j where j.id = p_job_id and j.credits_refunded);
  if changed and v_job.api_account is not null then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.cancel_job(uuid, boolean, text) is
  'Cancels job p_job_id if it waits, or with p_force also if it is being worked on (then without a refund, unless its table says so), with p_reason as its error_message. changed is false, and note says why, for a job that works, has ended, is not there, or is being changed at this moment.';

-- Cancels the waiting jobs of a user or of a session (both given: both must match), never a working
-- one. Waits for no row's lock: a job that somebody is starting at this moment is left to them.
create or replace function arcano.cancel_session(
  p_user_id arcano.job.user_id%type default null,
  p_session_id arcano.job.session_id%type default null,
  p_reason text default null
)
returns table (job_table text, job_id arcano.job.id%type, refunded boolean)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[];
begin
  if not arcano.is_trusted() then
    p_user_id := arcano.own_user(p_user_id);
  end if;
  if p_user_id is null and p_session_id is null then
    raise exception 'cancel_session needs p_user_id, p_session_id, or both'
      using errcode = 'invalid_parameter_value', detail = 'Both are null.',
        hint = 'Name the user or the session whose waiting jobs are to be cancelled.';
  end if;

  -- is_active is the predicate of the index that this reads.
  select array_agg((j.tableoid, j.id)::arcano.job_ref) into v_jobs
    from arcano.job j
   where arcano.is_active(j.status)
     and arcano.is_waiting(j.status)
     and (p_user_id is null or j.user_id = p_user_id)
     and (p_session_id is null or j.session_id = p_session_id);

  select array_agg(e.job) into v_jobs
    from arcano.end_jobs(v_jobs, 'cancel_session', 'waiting', coalesce(p_reason, 'Session cancelled')) e
   where e.error is null;

  -- A statement of its own, which sees the refunds.
  return query
    select arcano.table_name(j.tableoid), j.id, j.credits_refunded is true
      from unnest(v_jobs) r
      join arcano.job j on j.id = r.id and j.tableoid = r.relid
     order by 1, 2;
end
$$;

comment on function arcano.cancel_session(uuid, text, text) is
  'Cancels the waiting jobs of user p_user_id or session p_session_id (both given: both must match), with p_reason as their error_message, and answers a row for each. Working jobs are never touched. Neither given: an error. For a caller who may act for one user alone, p_user_id is always that user.';

-- Is there a job in this user's way? Ghosts are healed first and never counted, not even where
-- healing cannot be written (a read-only transaction, a standby, a serialization failure) or the
-- app's own trigger or constraint vetoes it. The one exception: a ghost whose row somebody holds
-- locked counts, because somebody is working on it. Waits for no row's lock.
--
-- Most users have no active job: for them the first statement is the whole call.
create or replace function arcano.check_user_active(
  p_user_id arcano.job.user_id%type default null,
  out has_active_job boolean,
  out active_tool text,
  out active_table text,
  out active_status text,
  out active_job_id arcano.job.id%type,
  out created_at timestamptz,
  out started_at timestamptz,
  out "position" integer,
  out heals_at timestamptz,
  out healed integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not arcano.is_trusted() then
    p_user_id := arcano.own_user(p_user_id);
  end if;
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
  select f.* into has_active_job, active_tool, active_table, active_status, active_job_id, created_at, started_at,
         "position", heals_at, healed
    from arcano.find_active_job(p_user_id) f;
end
$$;

comment on function arcano.check_user_active(uuid) is
  'Heals the orphans of user p_user_id, then answers in exactly one row whether a job is in the user''s way, and which: working before waiting, then the oldest. heals_at: when the rule would free the user if nothing more happens, null: never. healed: how many orphans this call cancelled. A caller who may act for one user alone leaves p_user_id out or names that user.';

-- Starts the oldest jobs of the line, of all tables, in free slots, and answers them: each is starting, and
-- the caller's to start at the provider. Waits for no lock: a job or an account that somebody else holds
-- at this moment is passed over, and so is a job whose start the app's own trigger or constraint vetoes.
-- Without accounts there is no limit but p_limit.
--
-- What the caller has completed since it last asked can be told in the same call, which is one round trip
-- and one commit less.
create or replace function arcano.claim_jobs(
  p_limit integer default 1,
  p_completed uuid[] default null,
  p_attempts integer[] default null
)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  api_account text,
  attempt integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- nor may a plan outlive the time when most rows waited
as $$
declare
  v_accounts constant boolean := exists (select from arcano.account);
  v_slots text[];
  v_relids oid[];
  v_tids tid[];
  v_started record;
begin
  perform arcano.refuse_limit(p_limit, 10000);
  perform arcano.need_read_committed();

  if p_completed is not null then
    perform from arcano.finish_each(p_completed, 'completed', null, p_attempts);
  end if;
  if v_accounts then
    -- No account is locked for an empty line.
    perform
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
     order by j.created_at, j.id
     limit 1;
    if not found then
      return;
    end if;
    v_slots := arcano.take_slots(p_limit);
  end if;

  begin
    select array_agg(l.relid), array_agg(l.tid) into v_relids, v_tids
      from (
        select j.tableoid as relid, j.ctid as tid
          from arcano.job j
         where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
         order by j.created_at, j.id
         limit coalesce(cardinality(v_slots), p_limit)
           for no key update skip locked
      ) l;

    -- By tid, because rows that are locked stay where they are.
    with claimed as (
      update arcano.job j
         set status = 'starting', api_account = v_slots[l.place], started_at = clock_timestamp(),
             attempt = coalesce(j.attempt, 0) + 1
        from unnest(v_relids, v_tids) with ordinality l (relid, tid, place)
       where j.ctid = l.tid and j.tableoid = l.relid
      returning l.place, l.relid, j.id, j.user_id, j.api_account, j.attempt
    )
    select count(*)::integer as count,
           array_agg(c.relid order by c.place) as relids, array_agg(c.id order by c.place) as ids,
           array_agg(c.user_id order by c.place) as user_ids, array_agg(c.api_account order by c.place) as accounts,
           array_agg(c.attempt order by c.place) as attempts
      into v_started
      from claimed c;
    if v_started.count <> coalesce(cardinality(v_tids), 0) then
      perform arcano.refuse_suppression();
    end if;
  exception
    when transaction_rollback then
      raise;
    when others then
      return query select c.* from arcano.claim_one_by_one(v_slots, coalesce(cardinality(v_slots), p_limit)) c;
      return;
  end;

  -- There may be more jobs and slots than this caller asked for.
  if v_accounts and (v_started.count = p_limit or p_completed is not null) then
    perform arcano.wake_workers();
  end if;
  return query
    select arcano.table_name(c.relid), c.id, c.user_id, c.api_account, c.attempt
      from unnest(v_started.relids, v_started.ids, v_started.user_ids, v_started.accounts, v_started.attempts)
        c (relid, id, user_id, api_account, attempt);
end
$$;

comment on function arcano.claim_jobs(integer, uuid[], integer[]) is
  'Starts at most p_limit jobs, the oldest of the line first, in free slots of the accounts, and answers them. p_completed, p_attempts: jobs that the caller has completed, as for finish_jobs, which are ended first. No row: the line is empty, or no slot is free. A job that cannot be started is journaled as an error, and tried again later.';

-- claim_jobs when one statement for all failed: each job by itself, so that one that cannot be started
-- (a veto of the app's own trigger or constraint) stops no other. It is in the journal, and left alone for
-- as long as is_put_off says.
create or replace function arcano.claim_one_by_one(p_slots text[], p_limit integer)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  api_account text,
  attempt integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_taken integer := 0;
  v_job record;
begin
  for v_job in
    select j.tableoid as relid, j.id
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
       and not arcano.is_put_off(j.id)
     order by j.created_at, j.id
  loop
    exit when v_taken = p_limit;
    begin
      perform
        from arcano.job j
       where j.id = v_job.id and j.tableoid = v_job.relid and case when arcano.is_waiting(j.status) then true end
         for no key update skip locked;
      continue when not found;

      api_account := p_slots[v_taken + 1];
      select s.user_id, s.attempt into user_id, attempt
        from arcano.start_in_slot((v_job.relid, v_job.id)::arcano.job_ref, api_account) s;
      job_table := arcano.table_name(v_job.relid);
      job_id := v_job.id;
      v_taken := v_taken + 1;
      return next;
    exception
      when others then
        perform arcano.journal_error((v_job.relid, v_job.id)::arcano.job_ref, 'claim_jobs', sqlstate || ': ' || sqlerrm);
    end;
  end loop;
end
$$;

comment on function arcano.claim_one_by_one(text[], integer) is
  'Internal: starts at most p_limit jobs of the line, in p_slots (null: in none), one statement for each.';

-- The user that the session's settings name: the claims that PostgREST and Supabase set for each request,
-- or arcano.user_id. Settings that are empty, no id, or name two users name nobody.
create or replace function arcano.claimed_user()
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_users integer;
begin
  select min(c.claim), count(distinct c.claim) into v_user_id, v_users
    from (
      values
        (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'),
        (nullif(current_setting('request.jwt.claim.sub', true), '')),
        (nullif(current_setting('arcano.user_id', true), ''))
    ) c (claim);
  return case when v_users = 1 then v_user_id end;
exception
  when data_exception then
    return null;
end
$$;

comment on function arcano.claimed_user() is
  'The user named by the session''s settings request.jwt.claims (sub), request.jwt.claim.sub or arcano.user_id; null: nobody, or more than one. Whoever may send SQL of their own can set them: see set_identity_function.';

-- The common case of finish_jobs, in one statement: jobs that are worked on, at the attempt that the caller
-- started, are completed. In the order of their ids, so that two callers with the same jobs wait for each
-- other and not each for the other.
create or replace function arcano.complete_jobs(
  p_job_ids uuid[],
  p_attempts integer[],
  p_error text,
  out job_ids uuid[],
  out attempts integer[]
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- nor may a plan outlive the time when most rows waited
as $$
begin
  -- With is_working outside of the case, the small index of working jobs finds them by id.
  with ended as (
    update arcano.job j
       set status = 'completed', completed_at = clock_timestamp(), error_message = coalesce(p_error, j.error_message)
      from (select u.id, u.attempt from unnest(p_job_ids, p_attempts) u (id, attempt) order by u.id) g
     where j.id = g.id
       and arcano.is_working(j.status)
       and case when coalesce(g.attempt = coalesce(j.attempt, 0), true) then true end
    returning j.id, coalesce(j.attempt, 0) as attempt
  )
  select array_agg(e.id), array_agg(e.attempt) into job_ids, attempts from ended e;
end
$$;

comment on function arcano.complete_jobs(uuid[], integer[], text) is
  'Internal: completes those of p_job_ids that are worked on, and answers them with their attempts.';

-- Admission and insert in one: the job is made only if no other job is in the user's way. Upload first,
-- call this second. The same id again (a retry after a lost answer) answers that same job and changes
-- nothing. Waits for nothing but the same user's other create_job, for as long as its transaction.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.create_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type default null,
  p_session_id arcano.job.session_id%type default null,
  p_data jsonb default '{}',
  out created boolean,
  out job_id arcano.job.id%type,
  out active_table text,
  out active_job_id arcano.job.id%type,
  out active_status text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trusted constant boolean := arcano.is_trusted();
  v_relid oid;
  v_user_id arcano.job.user_id%type;
  v_attached boolean;
  v_look boolean;
  v_columns text[];
  v_blocked boolean;
begin
  if not v_trusted then
    p_user_id := arcano.own_user(p_user_id);
  end if;
  if p_job_id is null or p_user_id is null then
    raise exception '% must not be null', case when p_job_id is null then 'p_job_id' else 'p_user_id' end
      using errcode = 'null_value_not_allowed',
        hint = 'The client makes the id of a job, such as with crypto.randomUUID(); the user is whose job it is.';
  end if;
  perform arcano.lock_user(p_user_id);

  -- Most ids are new, and most users have no active job: for them this one statement decides.
  select exists (select from arcano.job_table t where t.job_table = p_table),
         exists (select from arcano.job j where j.id = p_job_id)
           or exists (select from arcano.job j where j.user_id = p_user_id and arcano.is_active(j.status))
    into v_attached, v_look;
  if not v_attached then
    perform arcano.refuse_unattached(p_table);
  end if;
  if p_data is distinct from '{}' then
    v_columns := arcano.create_job_columns(p_table, p_data, v_trusted);
  end if;

  if v_look then
    select j.tableoid, j.user_id, j.status into v_relid, v_user_id, active_status
      from arcano.job j
     where j.id = p_job_id;
    if found then
      if not v_trusted then
        perform arcano.refuse_strange_job(p_job_id);
      end if;
      if v_user_id is distinct from p_user_id or v_relid <> p_table then
        raise exception 'there is another job with the id %', p_job_id
          using errcode = 'unique_violation',
            detail = case when v_user_id is distinct from p_user_id
              then 'It belongs to another user.' else format('It is in %s.', v_relid::regclass) end,
            hint = 'Make a new id for every job, and use it again only to repeat the same call.';
      end if;
      created := false;
      job_id := p_job_id;
      active_table := arcano.table_name(v_relid);
      active_job_id := p_job_id;
      return;
    end if;

    select c.active_table, c.active_job_id, c.active_status, c.has_active_job
      into active_table, active_job_id, active_status, v_blocked
      from arcano.find_active_job(p_user_id) c;
    if v_blocked then
      created := false;
      return;
    end if;
  end if;

  if v_columns is null then
    execute format('insert into %s (id, user_id, session_id, status, created_at) values ($1, $2, $3, $4, $5)', p_table)
      using p_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp();
  else
    begin
      execute format(
        'insert into %1$s (id, user_id, session_id, status, created_at, %2$s) select $1, $2, $3, $4, $5, %3$s from jsonb_populate_record(null::%1$s, $6) r',
        p_table, array_to_string(v_columns, ', '), 'r.' || array_to_string(v_columns, ', r.'))
        using p_job_id, p_user_id, p_session_id, 'queued'::text, clock_timestamp(), p_data;
    exception
      when data_exception then
        perform arcano.refuse_values(p_table, p_data);
        raise;
    end;
  end if;
  created := true;
  job_id := p_job_id;
end
$$;

comment on function arcano.create_job(regclass, uuid, uuid, text, jsonb) is
  'Makes job p_job_id (an id that the client made) of user p_user_id in the attached table p_table, unless another job is in the user''s way: then created is false, job_id null, and active_* that job. The same call again: created is false, and active_* the job itself. p_session_id: the page visit. p_data: the table''s own columns, user_credit_cost and credits_charged; others keep their defaults. Errors: null, a column that is unknown or the package''s own, a value of the wrong type, an id of another user''s job, a transaction that is not read committed. A caller who may act for one user alone leaves p_user_id out or names that user, and gives only the columns in user_columns of the table.';

-- Which columns create_job is to fill from p_data, quoted: the table's own, and of the contract's what
-- only the app knows. Who may act for one user alone gives only what the table's settings allow: nobody
-- writes down their own charge. Refuses what cannot be given, all of it at once.
create or replace function arcano.create_job_columns(p_table regclass, p_data jsonb, p_trusted boolean)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text[];
  v_wrong text;
  v_may_give text[];
begin
  if p_data is null or jsonb_typeof(p_data) <> 'object' then
    raise exception 'p_data must be a JSON object, not %', coalesce(jsonb_typeof(p_data), 'null')
      using errcode = 'invalid_parameter_value', hint = 'Its keys are columns of the table, such as {"scale": 4}.';
  end if;

  if not p_trusted then
    select t.user_columns into v_may_give from arcano.job_table t where t.job_table = p_table;
  end if;
  select array_agg(quote_ident(k.name)),
         string_agg(format('%I: %s', k.name, case when a.attname is null
           then 'there is no such column' when c.attname is not null then 'only the package sets it'
           else 'only a backend sets it' end), e'\n')
           filter (where a.attname is null or c.attname is not null or not p_trusted and k.name <> all (v_may_give))
    into v_columns, v_wrong
    from jsonb_object_keys(p_data) k (name)
    left join pg_attribute a
      on a.attrelid = p_table and a.attname = k.name and a.attnum > 0 and not a.attisdropped
    left join pg_attribute c
      on c.attrelid = 'arcano.job'::regclass and c.attname = k.name and c.attnum > 0
     and (not p_trusted or k.name not in ('user_credit_cost', 'credits_charged'));
  if v_wrong is not null then
    raise exception 'p_data names columns that cannot be given'
      using errcode = 'invalid_parameter_value', detail = v_wrong,
        hint = case when p_trusted
          then format('Give the own columns of %s, user_credit_cost and credits_charged.', p_table)
          else format('You may give: %s.', coalesce(nullif(array_to_string(v_may_give, ', '), ''), 'none')) end;
  end if;

  return v_columns;
end
$$;

comment on function arcano.create_job_columns(regclass, jsonb, boolean) is
  'Internal: the columns of p_table that p_data names, quoted; raises for one that cannot be given. p_trusted: by a backend.';

-- Undoes attach_job_table: the rule no longer sees the table. No row is touched, and the columns stay,
-- because the app may use them by now.
create or replace function arcano.detach_job_table(p_table regclass)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_index regclass;
begin
  lock table arcano.job_table in share row exclusive mode;

  if not exists (select from arcano.job_table s where s.job_table = p_table)
    and not exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass)
  then
    perform arcano.refuse_unattached(p_table);
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

comment on function arcano.detach_job_table(regclass) is
  'Undoes attach_job_table for p_table: no longer a child of arcano.job, no settings, no indexes of the package. No data and no column is touched.';

-- Forgets a provider account; the jobs that run in it go on.
create or replace function arcano.drop_account(p_name text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  delete from arcano.account a where a.name = p_name;
  if not found then
    raise exception 'there is no account %', coalesce(p_name, 'null')
      using errcode = 'invalid_parameter_value',
        detail = coalesce(
          (select 'Accounts: ' || string_agg(a.name, ', ' order by a.name) from arcano.account a), 'There are no accounts.'),
        hint = 'select * from arcano.account_status; lists them.';
  end if;
  perform arcano.wake_workers();
end
$$;

comment on function arcano.drop_account(text) is
  'Forgets the provider account p_name; jobs that run in it go on. Once the last one is dropped, no limit is left: to stop all starts, set enabled to false instead.';

-- Ends jobs that are not the caller's own, for the check, the sweep and the cancels. What makes
-- a job eligible, what it becomes, and what the journal calls it:
--
--   orphan         the orphan rule                              cancelled   healed
--   charged_ghost  the same for a charged one, in its own time  cancelled   cancelled
--   waiting        somebody asked, and it waits                 cancelled   cancelled
--   forced         somebody insists, and it works               cancelled   force_cancelled
--   stalled        the rule of stalled jobs                     failed      stalled
--
-- It promises:
--
--   * it waits for no row's lock: a job whose row somebody holds is left alone and not answered;
--   * what makes a job eligible is tested again in the statement that writes, on rows that nobody
--     can change meanwhile;
--   * each ended job is in the journal with its row as it was, in the same transaction;
--   * what was charged is refunded, or due, in the same transaction;
--   * a job that cannot be ended (a veto of the app's own trigger or constraint, a serialization
--     failure) is answered with its error and spoils no other: all are tried in one statement, and
--     only if that fails one by one. Where nothing can be written (a read-only transaction, a
--     standby, a full disk), the check gets that for all of them, and any other caller the error.
create or replace function arcano.end_jobs(
  p_jobs arcano.job_ref[],
  p_source text,
  p_cause text,
  p_reason text default null,
  out job arcano.job_ref,
  out error text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_message constant text := coalesce(p_reason, case p_cause
    when 'orphan' then 'Auto-clean: orphan queued job (client failed before enqueue/run)'
    when 'charged_ghost' then 'Auto-clean: charged job that was never started'
    when 'stalled' then 'Auto-clean: stalled job (no sign of life from its worker)'
    else 'Cancelled' end);
  v_status constant text := case p_cause when 'stalled' then 'failed' else 'cancelled' end;
  v_event constant text := case p_cause
    when 'orphan' then 'healed' when 'stalled' then 'stalled' when 'forced' then 'force_cancelled' else v_status end;
  v_refund_kind constant text := case when p_cause in ('stalled', 'forced') then p_cause else 'cancelled' end;
  v_locked arcano.job_ref[];
  v_wanted integer;
  v_ended arcano.job_ref[];
  v_charged arcano.job_ref[];
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
       where case p_cause
               when 'orphan' then o.is_orphan
               when 'charged_ghost' then o.is_charged_ghost
               when 'waiting' then o.is_waiting
               when 'stalled' then o.is_stalled
               when 'forced' then not o.is_waiting
             end
    ), ended as (
      update arcano.job j
         set status = v_status, completed_at = now(), error_message = v_message
        from wanted w
       where j.id = w.job_id and j.tableoid = w.relid
      returning w.relid, w.job_id, w.job_table, w.user_id, w.job_before, j.status,
                arcano.is_charged(j.credits_charged, j.user_credit_cost) as is_charged
    ), journaled as (
      insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
      select v_event, p_source, v_message, e.job_table, e.job_id, e.user_id, e.job_before
        from ended e
    )
    select count(*), array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.status = v_status),
           array_agg((e.relid, e.job_id)::arcano.job_ref) filter (where e.is_charged)
      into v_wanted, v_ended, v_charged
      from wanted w
      left join ended e on e.relid = w.relid and e.job_id = w.job_id;

    if v_wanted <> coalesce(cardinality(v_ended), 0) then
      perform arcano.refuse_suppression();
    end if;
    if v_charged is not null then
      perform arcano.refund_job(r::arcano.job_ref, v_refund_kind, p_source) from unnest(v_charged) r;
    end if;
  exception
    when others then
      get stacked diagnostics v_sqlstate = returned_sqlstate, error = message_text;
      error := v_sqlstate || ': ' || error;
      -- Without a disk to write to, one by one would fail as well, and hold rows for longer.
      if v_sqlstate = '25006' or v_sqlstate like '53%' then
        if p_source <> 'check' then
          raise;
        end if;
        return query select r, end_jobs.error from unnest(p_jobs) r;
        return;
      end if;

      if cardinality(p_jobs) > 1 then
        return query
          select e.job, e.error
            from unnest(p_jobs) r cross join lateral arcano.end_jobs(array[r], p_source, p_cause, p_reason) e;
        return;
      end if;

      job := p_jobs[1];
      -- Not for the check: it may be asked many times a second, and the sweep says it too.
      if p_source <> 'check' then
        perform arcano.journal_error(job, p_source, error);
      end if;
      return next;
      return;
  end;

  return query select r::arcano.job_ref, null::text from unnest(v_ended) r;
end
$$;

comment on function arcano.end_jobs(arcano.job_ref[], text, text, text) is
  'Internal: ends those of p_jobs to which p_cause applies (orphan, charged_ghost, waiting, forced, stalled), journals and refunds them. p_reason: their error_message. Answers a row for each job ended, and with its error for each that could not be.';

-- The statuses that finish_job gives. A job that has one of them stays as it is, but for start_job of a
-- job that the orphan rule healed.
create or replace function arcano.ended_statuses()
returns text[]
language sql immutable parallel safe
return array['completed', 'failed', 'cancelled'];

comment on function arcano.ended_statuses() is
  'The statuses of a job that has ended.';

-- Why a job blocks its user, and what protects it from the orphan rule: each condition of the rule by itself.
-- The rule is asked, and not repeated: once for each condition, about a job that differs from a plain ghost in
-- the columns of that condition alone.
create or replace function arcano.explain_job(p_job_id arcano.job.id%type)
returns table (condition text, holds boolean, detail text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old constant timestamptz := '2000-01-01 00:00+00';
  j arcano.job%rowtype;
  t arcano.job_table%rowtype;
  v_relid oid;
begin
  if not arcano.is_trusted() then
    perform arcano.refuse_strange_job(p_job_id);
  end if;

  -- Two statements: a row variable takes all of a record, and nothing beside it.
  select f.tableoid into v_relid from arcano.job f where f.id = p_job_id;
  if not found then
    return query select 'the job is there', false, 'no such job';
    return;
  end if;
  select f.* into j from arcano.job f where f.id = p_job_id and f.tableoid = v_relid;
  select s.* into t from arcano.job_table s where s.job_table = v_relid;

  return query
    select c.condition,
           h.heals_at is not null and (not c.by_age or h.heals_at < now()),
           case
             when c.by_age and h.heals_at < now() then format('since %s', h.heals_at)
             when c.by_age and h.heals_at is not null then format('at %s', h.heals_at)
             else c.detail
           end
      from (
        values
          ('status waits', j.status, null, null, null, 0, false, v_old, null, null, false, false,
            format('status is %s', coalesce(j.status, 'null'))),
          ('no provider has it', 'queued', j.task_id, null, null, 0, false, v_old, null, null, false, false,
            format('task_id is %s', coalesce(j.task_id, 'null'))),
          ('it never started', 'queued', null, null, null, 0, false, v_old, j.started_at, null, false, false,
            format('started_at is %s', coalesce(j.started_at::text, 'null'))),
          ('it never entered the line', 'queued', null, j."position", j.waited_in_queue, 0, false, v_old, null, null, false, false,
            format('position is %s, waited_in_queue is %s', coalesce(j."position"::text, 'null'), coalesce(j.waited_in_queue::text, 'null'))),
          ('it was not charged', 'queued', null, null, null, j.user_credit_cost, j.credits_charged, v_old, null, null, false, false,
            format('credits_charged is %s, user_credit_cost is %s', coalesce(j.credits_charged::text, 'null'), coalesce(j.user_credit_cost::text, 'null'))),
          ('no operator put it back', 'queued', null, null, null, 0, false, v_old, null, null, j.orphan_exempt, false,
            format('orphan_exempt is %s', coalesce(j.orphan_exempt::text, 'null'))),
          ('it has been silent for orphan_after', 'queued', null, null, null, 0, false, j.created_at, null, j.heartbeat_at, false, true,
            'created_at is null')
      ) c (condition, status, task_id, "position", waited_in_queue, user_credit_cost, credits_charged, created_at,
           started_at, heartbeat_at, orphan_exempt, by_age, detail)
     cross join lateral (
       select arcano.heals_at(
         c.status, c.task_id, c."position", c.waited_in_queue, c.user_credit_cost, c.credits_charged, c.created_at,
         c.started_at, c.heartbeat_at, c.orphan_exempt, coalesce(t.orphan_after, '0'), coalesce(t.touch_limit, '0'))
     ) h (heals_at);

  -- A table without settings, inherited by hand, has no orphans.
  return query
    select 'so the job is an orphan', coalesce(o.is_orphan, false),
           case
             when o.job_id is null then 'it has ended, and blocks nobody'
             when o.is_orphan then 'it blocks nobody, and the next check or sweep cancels it'
             when o.heals_at is not null then format('it blocks its user, until %s if nothing more happens', o.heals_at)
             else 'it blocks its user until it ends'
           end
      from (select) only_one
      left join arcano.open_job o on o.relid = v_relid and o.job_id = p_job_id;

  return query
    select format('%s by %s', e.event, e.source), true, format('%s: %s', e.created_at, e.reason)
      from arcano.job_event e
     where e.job_id = p_job_id
     order by e.event_id;
end
$$;

comment on function arcano.explain_job(uuid) is
  'Why job p_job_id blocks its user or does not: a row for each condition of the orphan rule, whether it holds, and the columns that say so; then what follows, and what the journal has about the job. All must hold for an orphan: the one that does not is what protects it. A caller who may act for one user alone may ask about that user''s jobs.';

-- finish_job for a failure, which always has a reason.
create or replace function arcano.fail_job(
  p_job_id arcano.job.id%type,
  p_reason text,
  p_attempt integer default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_reason is null then
    raise exception 'p_reason must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Say why the job failed; it becomes the job''s error_message.';
  end if;
  select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
    from arcano.finish_job(p_job_id, 'failed', p_reason, p_attempt) f;
end
$$;

comment on function arcano.fail_job(uuid, text, integer) is
  'Ends job p_job_id as failed, with p_reason as its error_message. Otherwise as finish_job.';

-- What check_user_active promises, for any user: heals the user's ghosts, and finds the job in the way.
create or replace function arcano.find_active_job(
  p_user_id arcano.job.user_id%type,
  out has_active_job boolean,
  out active_tool text,
  out active_table text,
  out active_status text,
  out active_job_id arcano.job.id%type,
  out created_at timestamptz,
  out started_at timestamptz,
  out "position" integer,
  out heals_at timestamptz,
  out healed integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_orphans arcano.job_ref[];
  v_ignored arcano.job_ref[] := '{}';
begin
  healed := 0;
  -- The second round asks again after the orphans that the first one found were healed. One that
  -- could not be ended, for whatever reason, is ignored; one still there was locked.
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

    select count(*) filter (where e.error is null),
           coalesce(array_agg(e.job) filter (where e.error is not null), '{}')
      into healed, v_ignored
      from arcano.end_jobs(v_orphans, 'check', 'orphan') e;
  end loop;
end
$$;

comment on function arcano.find_active_job(uuid) is
  'Internal: heals the orphans of user p_user_id, and answers as check_user_active does.';

-- A function of the app's own that the package is to call, with the rights of the role that migrated: so
-- it must belong to a role that has those anyway.
create or replace function arcano.find_function(
  p_function text,
  p_purpose text,
  p_arguments text,
  p_results regtype[],
  p_example text
)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_function oid;
  v_problem text;
begin
  if p_function is null then
    return null;
  end if;
  begin
    v_function := to_regprocedure(p_function);
  exception
    when syntax_error or invalid_name or data_exception or undefined_object then
      null; -- before PostgreSQL 16 what is no name at all is an error, and not null
  end;
  select case
           when p.oid is null then 'there is no such function'
           when p.prokind <> 'f' or p.proretset then 'it is no ordinary function'
           when oidvectortypes(p.proargtypes) <> p_arguments then format('it does not take (%s)', p_arguments)
           when p.prorettype <> all (p_results) then format('it does not answer %s', array_to_string(p_results, ' or '))
           when not pg_has_role(p.proowner, current_user, 'member') then format(
             'it belongs to %s, who may not do what %s may', p.proowner::regrole, current_user)
         end
    into v_problem
    from (select v_function) f (oid) left join pg_proc p on p.oid = f.oid;
  if v_problem is not null then
    raise exception '% cannot be the % function', p_function, p_purpose
      using errcode = 'invalid_parameter_value', detail = v_problem,
        hint = format('Name it with its schema and types, such as %s.', p_example);
  end if;
  return v_function::regprocedure::text;
end
$$;

comment on function arcano.find_function(text, text, text, regtype[], text) is
  'Internal: the full name of the function p_function; raises unless it takes p_arguments, answers one of p_results, and belongs to who migrated. p_purpose and p_example are for the error.';

-- What finish_jobs promises, without waking anybody. One job that cannot be ended (a veto of the app's own
-- trigger or constraint) keeps no other from it, and is in the journal.
create or replace function arcano.finish_each(
  p_job_ids uuid[],
  p_status text,
  p_error text,
  p_attempts integer[]
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_completed uuid[];
  v_attempts integer[];
  v_job record;
begin
  if p_job_ids is null or array_position(p_job_ids, null) is not null then
    raise exception 'the ids of the jobs must be neither null nor have a null among them'
      using errcode = 'null_value_not_allowed', hint = 'Name the jobs that are to be ended.';
  end if;
  if cardinality(p_attempts) <> cardinality(p_job_ids) then
    raise exception 'p_attempts has % elements, for % jobs', cardinality(p_attempts), cardinality(p_job_ids)
      using errcode = 'invalid_parameter_value', hint = 'Give an attempt (or null) for each job, or none at all.';
  end if;

  if p_status = 'completed' then
    begin
      select c.job_ids, c.attempts into v_completed, v_attempts
        from arcano.complete_jobs(p_job_ids, p_attempts, p_error) c;
    exception
      when transaction_rollback then
        raise;
      when others then
        null; -- one by one, below
    end;
    return query select d.id, true, p_status, d.attempt, null::text from unnest(v_completed, v_attempts) d (id, attempt);
    if cardinality(v_completed) = cardinality(p_job_ids) then
      return;
    end if;
  end if;

  -- In the order of their ids, as complete_jobs locks them.
  for v_job in
    select distinct on (u.id) u.id, u.attempt
      from unnest(p_job_ids, p_attempts) u (id, attempt)
     where u.id <> all (coalesce(v_completed, '{}'))
     order by u.id
  loop
    job_id := v_job.id;
    begin
      select f.changed, f.status, f.attempt, f.note into changed, status, attempt, note
        from arcano.finish_job(v_job.id, p_status, p_error, v_job.attempt) f;
    exception
      when transaction_rollback then
        raise;
      when others then
        changed := false;
        note := sqlstate || ': ' || sqlerrm;
        select u.status, u.attempt into status, attempt from arcano.unchanged_job(v_job.id) u;
        perform arcano.journal_error((j.tableoid, j.id)::arcano.job_ref, 'finish_job', note)
           from arcano.job j
          where j.id = v_job.id;
    end;
    return next;
  end loop;
end
$$;

comment on function arcano.finish_each(uuid[], text, text, integer[]) is
  'Internal: as finish_jobs, for who wakes workers afterwards.';

-- Ends a waiting or working job. A call that comes late or twice, or from a worker of an earlier
-- attempt, changes nothing; if it would have ended the job otherwise than it did end, the journal keeps
-- that once. A job that ends while it waits, without a worker of its own, is in the journal too.
create or replace function arcano.finish_job(
  p_job_id arcano.job.id%type,
  p_status text default 'completed',
  p_error text default null,
  p_attempt integer default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_before jsonb;
  v_reason text;
begin
  perform arcano.refuse_end(p_status);

  -- Found by id alone: with a condition on status here, the planner may walk a partial index.
  select j.tableoid as relid, j.user_id, j.status, j.api_account, coalesce(j.attempt, 0) as attempt into v_job
    from arcano.job j
   where j.id = p_job_id
     for no key update;

  -- A job that waits again is not at any attempt: the one that it was at is over.
  changed := v_job.attempt is not null and arcano.is_active(v_job.status)
    and coalesce(p_attempt = v_job.attempt and (arcano.is_working(v_job.status) or p_attempt = 0), true);
  if changed then
    if arcano.is_waiting(v_job.status) then
      v_before := arcano.job_row(v_job.relid, p_job_id);
    end if;
    update arcano.job j
       set status = p_status, completed_at = clock_timestamp(), error_message = coalesce(p_error, j.error_message)
     where j.id = p_job_id
       and j.tableoid = v_job.relid
       and case when j.status = v_job.status then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
  end if;

  if changed then
    if v_before is not null then
      insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
      values (p_status, 'finish_job', coalesce(p_error, 'finished while it waited'),
              arcano.table_name(v_job.relid), p_job_id, v_job.user_id, v_before);
    end if;
    if p_status <> 'completed' then
      perform arcano.refund_job(
        (v_job.relid, p_job_id)::arcano.job_ref,
        case when p_status = 'cancelled' and v_job.status = 'running' then 'forced' else p_status end,
        'finish_job');
    end if;
    if v_job.api_account is not null then
      perform arcano.wake_workers();
    end if;
    return;
  end if;

  select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job_id) u;
  if arcano.is_active(status) then
    note := case
      when p_attempt <> attempt then format('attempt %s is over: the job is at attempt %s', p_attempt, attempt)
      when p_attempt > 0 and arcano.is_waiting(status) then format('attempt %s is over: the job is %s again', p_attempt, status)
      else 'a trigger of the job table suppressed the change' end;
  elsif status = any (arcano.ended_statuses()) and status <> p_status then
    v_reason := format('finish_job(%s) came when the job was %s already', p_status, status) || coalesce(': ' || p_error, '');
    insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
    select 'late_finish', 'finish_job', v_reason, arcano.table_name(v_job.relid), p_job_id, v_job.user_id,
           arcano.job_row(v_job.relid, p_job_id)
     where not exists (
       select from arcano.job_event e
        where e.job_id = p_job_id and e.event = 'late_finish' and e.reason = v_reason
     );
  end if;
end
$$;

comment on function arcano.finish_job(uuid, text, text, integer) is
  'Ends job p_job_id as p_status: completed, failed or cancelled. p_error: its error_message. p_attempt: the attempt that the worker started; if the job is at another one, or waits again, nothing changes. A job that has ended, or is not there: changed is false, and note says why; a late finish that differs from how the job ended is in the journal. Refunds a charged job cancelled before it ran, and others where the table''s refund_when says so.';

-- finish_job for many at once, in one transaction and one round trip.
create or replace function arcano.finish_jobs(
  p_job_ids uuid[],
  p_status text default 'completed',
  p_error text default null,
  p_attempts integer[] default null
)
returns table (job_id arcano.job.id%type, changed boolean, status text, attempt integer, note text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.refuse_end(p_status);
  return query select f.* from arcano.finish_each(p_job_ids, p_status, p_error, p_attempts) f;
  if exists (select from arcano.account) then
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.finish_jobs(uuid[], text, text, integer[]) is
  'Ends the jobs p_job_ids, each as finish_job would with p_status, p_error and its element of p_attempts, and answers a row for each of them, in no order. One that has ended already, is not there or cannot be ended does not keep the others from it: its changed is false, and note says why.';

-- A ghost that could not be ended (a veto of the app's trigger, a timeout) counts for nobody, so its user may
-- have another job by now. Then it must not be brought to life: what is in its way, or null. Holds off the
-- user's other create_job until the transaction ends.
--
-- To be called before a statement that locks the job: whoever has the job's row and its user locked, as the
-- start of a healed job has, took the user first.
create or replace function arcano.gone_past(p_job_id arcano.job.id%type)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
begin
  -- Found by id alone: with the rule outside of the case, the planner may walk a partial index.
  select j.user_id into v_user_id
    from arcano.job j
    join arcano.job_table t on t.job_table = j.tableoid
   where j.id = p_job_id
     and case
           when arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
             j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit) < now()
           then true
         end;
  if not found then
    return null;
  end if;
  perform arcano.lock_user(v_user_id);
  return (
    select format('an orphan; in the way: %s %s (%s)', a.job_table, a.job_id, a.status)
      from arcano.active_job a
     where a.user_id = v_user_id and a.job_id <> p_job_id
     limit 1
  );
end
$$;

comment on function arcano.gone_past(uuid) is
  'Internal: if job p_job_id is an orphan and its user has another active job, says which; else null.';

-- The orphan rule, written once. A job is an orphan when heals_at(...) is not null and has passed:
--
--   null       it shows a sign of life that does not age, so the rule never ends it;
--   otherwise  its last sign of life plus the table's orphan_after.
--
-- A heartbeat protects for no longer than touch_limit after created_at. The outer least() keeps a
-- date near the end of the calendar from overflowing.
--
-- It takes columns, not the row, and neither is security definer nor sets anything, so that
-- PostgreSQL inlines it into every statement that uses it. Stable, because adding an interval to a
-- timestamptz depends on the session's time zone; attach_job_table stores intervals in plain seconds,
-- for which it does not.
create or replace function arcano.heals_at(
  p_status text,
  p_task_id text,
  p_position integer,
  p_waited_in_queue boolean,
  p_user_credit_cost integer,
  p_credits_charged boolean,
  p_created_at timestamptz,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz,
  p_orphan_exempt boolean,
  p_orphan_after interval,
  p_touch_limit interval
)
returns timestamptz
language sql stable parallel safe
return case
  when arcano.is_waiting(p_status)
    and p_task_id is null
    and p_started_at is null
    and not arcano.entered_line(p_position, p_waited_in_queue)
    and p_orphan_exempt is not true
    and not arcano.is_charged(p_credits_charged, p_user_credit_cost)
    and p_created_at is not null
  then
    least(
      greatest(
        p_created_at,
        least(coalesce(p_heartbeat_at, p_created_at), least(p_created_at, '200000-01-01 00:00+00') + p_touch_limit)
      ),
      '200000-01-01 00:00+00'
    ) + p_orphan_after
end;

comment on function arcano.heals_at(
  text, text, integer, boolean, integer, boolean, timestamptz, timestamptz, timestamptz, boolean, interval, interval
) is
  'The orphan rule: when the job that has these columns becomes an orphan, given its table''s settings; null: never.';

-- True for a status that can block its user. It folds to "status = any (constant)" in a plan, which
-- is the predicate of each attached table's partial index of active jobs.
create or replace function arcano.is_active(p_status text)
returns boolean
language sql immutable parallel safe
return p_status = any (arcano.waiting_statuses() || arcano.working_statuses());

comment on function arcano.is_active(text) is
  'Whether a job of this status is waiting or being worked on, and so blocks its user unless it is an orphan.';

-- Whether the login of this session may act as a backend, if it sets its role. What such a login has set
-- can be believed: it could do anything to anybody's jobs anyway. Any other login can set the same, and lie.
create or replace function arcano.is_gateway()
returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(bool_or(pg_has_role(session_user, a.grantee, 'member')), false)
    from pg_proc p
   cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
   where p.oid = arcano.backend_function() and a.grantee <> 0
$$;

comment on function arcano.is_gateway() is
  'Internal: whether this session''s login may act as a backend, so that the settings of the session are its word.';

-- Whether a job waits in the line. It folds to the predicate of each attached table's partial index of the
-- line.
create or replace function arcano.is_in_line(p_status text, p_position integer, p_waited_in_queue boolean)
returns boolean
language sql immutable parallel safe
return arcano.is_waiting(p_status) and arcano.entered_line(p_position, p_waited_in_queue);

comment on function arcano.is_in_line(text, integer, boolean) is
  'Whether a job of this status, position and waited_in_queue waits in the line.';

-- Whether the sweep and claims leave a job for later, because ending or starting it failed: for 5 minutes at
-- first, then for as long as it has been failing, at most a day. So they do not starve behind many of them.
create or replace function arcano.is_put_off(p_job_id arcano.job.id%type)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
      from arcano.job_event e
     where e.job_id = p_job_id and e.event = 'error'
    having now() < max(e.created_at)
      + least('1 day', greatest('5 minutes', max(e.created_at) - min(e.created_at)))
  );
end
$$;

comment on function arcano.is_put_off(uuid) is
  'Internal: whether job p_job_id could not be ended or started lately, and is not to be tried again yet.';

-- Whether a call acts as a backend, whose word on whose job it is counts; anybody else speaks for one user
-- alone.
create or replace function arcano.is_trusted()
returns boolean
language sql stable parallel safe
return has_function_privilege(arcano.acting_role(), arcano.backend_function(), 'execute');

comment on function arcano.is_trusted() is
  'Internal: whether this call acts as a trusted backend; false: it speaks for one user alone.';

-- The partial indexes of an attached table: the only place that says which there are. What they say of
-- the line is what entered_line folds to in a plan.
create or replace function arcano.job_indexes(
  p_table regclass,
  out index_name text,
  out definition text
)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when octet_length(c.relname || d.suffix) < 64 then c.relname || d.suffix
           else left(c.relname, 20) || '_' || left(md5(c.relname), 12) || d.suffix
         end,
         format('on %s %s where status = any (%L::text[])%s', c.oid::regclass, d.key, d.statuses, d.further)
    from pg_class c
    cross join (
      values
        -- the active jobs of a user: check_user_active, cancel_session
        ('_arcano_active', '(user_id)', arcano.waiting_statuses() || arcano.working_statuses(), ''),
        -- the line in its order: claim_jobs, queue_position
        ('_arcano_line', '(created_at, id)', arcano.waiting_statuses(),
          ' and (waited_in_queue is true or coalesce("position", 0) <> 0)'),
        -- what waits outside of the line, by age: sweep_orphans
        ('_arcano_outside', '(created_at)', arcano.waiting_statuses(),
          ' and not (waited_in_queue is true or coalesce("position", 0) <> 0)'),
        -- the jobs that are worked on: slots, stalls, and finding many by id to end them
        ('_arcano_working', '(id) include (api_account)', arcano.working_statuses(), '')
    ) d (suffix, key, statuses, further)
   where c.oid = p_table
$$;

comment on function arcano.job_indexes(regclass) is
  'The names and definitions of the partial indexes that attaching gives to p_table.';

-- The whole row of a job as jsonb, with the columns that only its own table has: those are what this
-- package cannot know beforehand, and why this is dynamic. Where the table's own row cannot be read
-- (somebody else's table, or row level security forced on its owner), the contract's columns.
create or replace function arcano.job_row(p_relid oid, p_job_id arcano.job.id%type)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
-- A caller's settings must not change what the journal keeps, nor whether it can be read back.
set datestyle = iso
set intervalstyle = iso_8601
set extra_float_digits = 1
as $$
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
$$;

comment on function arcano.job_row(oid, uuid) is
  'The row of job p_job_id of table p_relid with all columns of that table, or null.';

-- How many jobs are in the line before the one with this created_at and id.
create or replace function arcano.jobs_ahead(p_created_at timestamptz, p_job_id arcano.job.id%type)
returns integer
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- a plan for one date may read the app's own indexes by date
set enable_seqscan = off -- a plan made while most rows waited must not outlive that
as $$
begin
  return (
    select count(*)
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
       and (j.created_at, j.id) < (coalesce(p_created_at, 'infinity'), p_job_id)
  );
end
$$;

comment on function arcano.jobs_ahead(timestamptz, uuid) is
  'Internal: how many jobs of the line come before the job with this created_at and id.';

-- What could not be done to a job, and why.
create or replace function arcano.journal_error(p_job arcano.job_ref, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  select 'error', p_source, p_reason, arcano.table_name(j.tableoid), j.id, j.user_id, arcano.job_row(j.tableoid, j.id)
    from arcano.job j
   where j.id = p_job.id and j.tableoid = p_job.relid;
end
$$;

comment on function arcano.journal_error(arcano.job_ref, text, text) is
  'Internal: journals that p_source could not change p_job, and why.';

-- A line of the journal about a refund, with the job as it is now; its row may be gone.
create or replace function arcano.journal_refund(p_refund arcano.refund, p_event text, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
  values (
    p_event, p_source, p_reason, arcano.table_name(p_refund.job_table), p_refund.job_id, p_refund.user_id,
    coalesce(
      (select arcano.job_row(j.tableoid, j.id) from arcano.job j
        where j.id = p_refund.job_id and j.tableoid = p_refund.job_table),
      '{}'
    )
  );
end
$$;

comment on function arcano.journal_refund(arcano.refund, text, text, text) is
  'Internal: journals p_event about p_refund.';

-- For interfaces that read a job's place from its row.
create or replace function arcano.keep_positions(p_on boolean default true)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.setting set keep_positions = p_on is true;
  if p_on then
    perform arcano.renumber_line();
  end if;
end
$$;

comment on function arcano.keep_positions(boolean) is
  'Whether each sweep writes the place of every job in the line to its column position; off by default, when position stays the place at which the job entered. queue_position counts in any case.';

-- One at a time: who asks whether anybody is ahead in the line, and then passes or joins it. Waits for
-- another's transaction for at most half a second, and then answers false: a job that is put into the line
-- overtakes nobody, so that one who holds on to the line stops no one else.
--
-- The lock is on a table that nobody else may lock.
create or replace function arcano.lock_line()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
begin
  lock table arcano.lock in exclusive mode;
  return true;
exception
  when lock_not_available then
    return false;
end
$$;

comment on function arcano.lock_line() is
  'Internal: holds others off from passing the line until the transaction ends; false: somebody else does.';

-- One at a time for each user, until the transaction ends: what reads the user's active jobs after
-- this sees all that those before it have committed. The seed keeps the key from being guessed, and so
-- from being held by somebody else.
create or replace function arcano.lock_user(p_user_id arcano.job.user_id%type)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.need_read_committed();
  perform pg_advisory_xact_lock(hashtextextended(
    'arcano user ' || p_user_id, coalesce((select l.seed from arcano.lock l), 0)));
end
$$;

comment on function arcano.lock_user(uuid) is
  'Internal: waits for the same user''s other create_job, and holds them off until the transaction ends.';

-- Whoever decides by what others have committed needs a snapshot for every statement, and so read
-- committed: the other levels keep an old one, and would admit a second job or fill a slot twice.
create or replace function arcano.need_read_committed()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
    raise exception 'a job cannot be admitted in a % transaction', current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state',
        detail = 'It would not see the jobs that others made since the transaction began.',
        hint = 'Call this in a read committed transaction.';
  end if;
end
$$;

comment on function arcano.need_read_committed() is
  'Internal: raises in a transaction that is not read committed.';

-- The user that a caller who may act for one user alone asks about: the caller, whether named or not.
create or replace function arcano.own_user(p_user_id arcano.job.user_id%type)
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant arcano.job.user_id%type := arcano.caller_id();
begin
  if p_user_id <> v_user_id then
    raise exception 'p_user_id is not the user who calls'
      using errcode = 'insufficient_privilege', hint = 'Leave p_user_id out.';
  end if;
  return v_user_id;
end
$$;

comment on function arcano.own_user(uuid) is
  'Internal: the user who calls; raises if p_user_id is another.';

-- Pays a refund that is due: calls the app's function and sets credits_refunded, both or neither. If that
-- cannot be done, the refund stays due, and the journal says why. Waits for no row's lock.
create or replace function arcano.pay_refund(p_refund_id bigint, p_source text)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund arcano.refund%rowtype;
  v_function text;
  v_error text;
  v_sqlstate text;
begin
  select f.* into v_refund
    from arcano.refund f
   where f.refund_id = p_refund_id and f.paid_at is null
     for update skip locked;
  if not found then
    return false;
  end if;
  select s.refund_function into v_function from arcano.setting s;

  if v_function is null then
    v_error := 'no refund function is set';
  elsif v_refund.amount is null then
    v_error := 'the job does not say how much was charged';
  else
    begin
      perform from arcano.job j where j.id = v_refund.job_id and j.tableoid = v_refund.job_table for no key update nowait;
      perform arcano.call_refund_function(v_function, v_refund);
      perform arcano.refund_is_paid(v_refund, p_source, 'paid by ' || v_function);
      return true;
    exception
      when others then
        get stacked diagnostics v_sqlstate = returned_sqlstate, v_error = message_text;
        v_error := v_sqlstate || ': ' || v_error;
    end;
  end if;

  update arcano.refund f
     set error = v_error,
         tries = f.tries + (v_function is not null)::integer,
         tried_at = case when v_function is not null then clock_timestamp() end
   where f.refund_id = p_refund_id;
  if v_refund.error is distinct from v_error then
    perform arcano.journal_refund(v_refund, 'refund_due', p_source, v_error);
  end if;
  return false;
end
$$;

comment on function arcano.pay_refund(bigint, text) is
  'Internal: tries to pay the refund p_refund_id, and answers whether it is paid now.';

-- Tries again to pay the refunds that are due, the oldest first. One that cannot be paid is tried again
-- after a minute at first, then after as long as it has been due, at most a day.
create or replace function arcano.pay_refunds(p_limit integer)
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund_id bigint;
  v_paid integer := 0;
begin
  if not exists (select from arcano.setting s where s.refund_function is not null) then
    return 0;
  end if;
  for v_refund_id in
    select f.refund_id
      from arcano.refund f
     where f.paid_at is null
       and (f.tried_at is null
         or now() > f.tried_at + least('1 day', greatest('1 minute', f.tried_at - f.due_at)))
     order by f.due_at
     limit p_limit
  loop
    v_paid := v_paid + arcano.pay_refund(v_refund_id, 'sweep')::integer;
  end loop;
  return v_paid;
end
$$;

comment on function arcano.pay_refunds(integer) is
  'Internal: tries to pay at most p_limit refunds that are due, and answers how many are paid now.';

-- The same length of time in plain seconds: a day or a month would depend on the session's time zone and
-- the calendar. What is longer than any setting may be becomes 10,000 years, which plain seconds can say.
create or replace function arcano.plain_seconds(p_interval interval)
returns interval
language sql immutable parallel safe
return case when p_interval is not null then
  make_interval(secs => least(greatest(extract(epoch from p_interval)::double precision, -315576000000), 315576000000))
end;

comment on function arcano.plain_seconds(interval) is
  'p_interval in plain seconds.';

-- The place of a job in the line, counted now.
create or replace function arcano.queue_position(p_job_id arcano.job.id%type)
returns integer
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
begin
  if not arcano.is_trusted() then
    perform arcano.refuse_strange_job(p_job_id);
  end if;
  select j.created_at, arcano.is_in_line(j.status, j."position", j.waited_in_queue) as is_in_line
    into v_job
    from arcano.job j
   where j.id = p_job_id;
  return case when v_job.is_in_line then arcano.jobs_ahead(v_job.created_at, p_job_id) + 1 end;
end
$$;

comment on function arcano.queue_position(uuid) is
  'How many jobs are ahead of job p_job_id in the line, plus one, counted now; null: it is not in the line.';

-- What is the same whether the app's function paid or a person did. A job whose row is gone by now, or
-- whose table is detached, is paid all the same.
create or replace function arcano.refund_is_paid(p_refund arcano.refund, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.journal_refund(p_refund, 'refunded', p_source, p_reason);
  update arcano.job j set credits_refunded = true where j.id = p_refund.job_id and j.tableoid = p_refund.job_table;
  update arcano.refund f
     set paid_at = clock_timestamp(), tries = f.tries + 1, tried_at = clock_timestamp(), error = null
   where f.refund_id = p_refund.refund_id;
end
$$;

comment on function arcano.refund_is_paid(arcano.refund, text, text) is
  'Internal: marks p_refund and its job as refunded, and journals it.';

-- Pays back, once, what was charged for a job that has just ended; to be called in the transaction that
-- ended it, which holds the job. Does nothing for a job that was not charged or is refunded already, or
-- whose table does not say that this kind of end is refunded. A cancelled job that never ran always is.
create or replace function arcano.refund_job(p_job arcano.job_ref, p_kind text, p_source text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund_id bigint;
begin
  insert into arcano.refund (job_table, job_id, kind, user_id, amount)
  select j.tableoid, j.id, p_kind, j.user_id, j.user_credit_cost
    from arcano.job j
    left join arcano.job_table t on t.job_table = j.tableoid
   where j.id = p_job.id
     and j.tableoid = p_job.relid
     and arcano.is_charged(j.credits_charged, j.user_credit_cost)
     and j.credits_refunded is not true
     and j.user_credit_cost is distinct from 0
     and (p_kind = 'cancelled' or p_kind = any (t.refund_when))
  on conflict do nothing
  returning refund_id into v_refund_id;
  if found then
    perform arcano.pay_refund(v_refund_id, p_source);
  end if;
end
$$;

comment on function arcano.refund_job(arcano.job_ref, text, text) is
  'Internal: makes the refund of p_job that has just ended, of kind cancelled, failed, stalled or forced, and tries to pay it. p_source: what ended the job, for the journal.';

-- What a caller may end a job as.
create or replace function arcano.refuse_end(p_status text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_status is null or p_status <> all (arcano.ended_statuses()) then
    raise exception 'p_status must be one of %, not %',
      array_to_string(arcano.ended_statuses(), ', '), coalesce(quote_literal(p_status), 'null')
      using errcode = 'invalid_parameter_value', hint = 'The default is completed.';
  end if;
end
$$;

comment on function arcano.refuse_end(text) is
  'Internal: raises if p_status is not one that a job can end as.';

-- How much one call may do.
create or replace function arcano.refuse_limit(p_limit integer, p_most integer default null)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit < 1 or p_limit > p_most then
    raise exception 'p_limit must be %, not %',
      case when p_most is null then '1 or more' else format('between 1 and %s', p_most) end, coalesce(p_limit::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is the most jobs that one call handles.';
  end if;
end
$$;

comment on function arcano.refuse_limit(integer, integer) is
  'Internal: raises if p_limit is null, below 1, or above p_most.';

-- The limits of a table's settings. The least of each is what did not kill real jobs; who is sure may go
-- below it after: set arcano.force = on;
create or replace function arcano.refuse_settings(p_settings arcano.job_table)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_force constant boolean := coalesce(nullif(current_setting('arcano.force', true), ''), 'off')::boolean;
  v_wrong record;
begin
  select s.name, s.value, l.least, s.why, s.hint, case when v_force then l.least::text else s.least end as said into v_wrong
    from (
      values
        ('orphan_after', p_settings.orphan_after, '2 minutes',
          '20 to 30 seconds killed real jobs that were still initialising; 120 to 180 seconds was the least that did not.',
          'The default is 5 minutes.'),
        ('touch_limit', p_settings.touch_limit, '0 seconds', null, 'The default is 1 hour.'),
        ('stall_after', coalesce(p_settings.stall_after, '1 day'), '1 minute',
          'A busy worker may be silent for longer.', 'Null: no limit.'),
        ('starting_stall_after', coalesce(p_settings.starting_stall_after, '1 day'), '1 minute',
          'A busy worker may be silent for longer.', 'Null: the same as stall_after.'),
        ('charged_orphan_after', coalesce(p_settings.charged_orphan_after, '10 years'), p_settings.orphan_after::text,
          'A job that somebody paid for is left alone for at least as long as another.', 'Null: for ever.')
    ) s (name, value, least, why, hint)
   cross join lateral (
     select case when v_force then least(s.least::interval, '1 second') else s.least::interval end
   ) l (least)
   where (s.value between l.least and interval '10 years') is not true
   limit 1;
  if found then
    raise exception '% must be between % and 10 years, not %', v_wrong.name,
        v_wrong.said,
        coalesce(v_wrong.value::text, 'null')
      using errcode = 'invalid_parameter_value', detail = coalesce(v_wrong.why, ''),
        hint = v_wrong.hint || case when v_wrong.value between '1 second' and v_wrong.least
          then ' If you are sure of less: set arcano.force = on;' else '' end;
  end if;
end
$$;

comment on function arcano.refuse_settings(arcano.job_table) is
  'Internal: raises if one of p_settings is out of range.';

-- For a caller who may act for one user alone. Whether there is a job of somebody else is not said.
create or replace function arcano.refuse_strange_job(p_job_id arcano.job.id%type)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (select from arcano.job j where j.id = p_job_id and j.user_id = arcano.caller_id()) then
    raise exception 'you have no job with the id %', coalesce(p_job_id::text, 'null')
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function arcano.refuse_strange_job(uuid) is
  'Internal: raises unless p_job_id is a job of the user who calls.';

-- A trigger of the app's own may answer null and so skip a row, which PostgreSQL reports to nobody.
create or replace function arcano.refuse_suppression()
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'a trigger of the job table suppressed or changed the update'
    using errcode = 'triggered_data_change_violation';
end
$$;

comment on function arcano.refuse_suppression() is
  'Internal: raises that a trigger kept a job as it was.';

-- The one way to say that a table is not attached.
create or replace function arcano.refuse_unattached(p_table regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% is not attached', coalesce(p_table::text, 'null')
    using errcode = 'undefined_object',
      detail = coalesce(
        (select 'Attached: ' || string_agg(s.job_table::text, ', ' order by s.job_table::text) from arcano.job_table s),
        'No table is attached.'),
      hint = 'Name an attached table with its schema.';
end
$$;

comment on function arcano.refuse_unattached(regclass) is
  'Internal: raises that p_table is not attached, and which are.';

-- Says which values of p_data are not of their columns' types, if any is not: PostgreSQL's own error
-- does not name the column.
--
-- Dynamic, because a table's own columns are not known before.
create or replace function arcano.refuse_values(p_table regclass, p_data jsonb)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong text;
  v_key record;
begin
  for v_key in select k.key, k.value from jsonb_each(p_data) k order by k.key loop
    begin
      execute format('select jsonb_populate_record(null::%s, $1)', p_table)
        using jsonb_build_object(v_key.key, v_key.value);
    exception
      when data_exception then
        v_wrong := concat_ws(e'\n', v_wrong, format('%I: %s', v_key.key, sqlerrm));
    end;
  end loop;
  if v_wrong is not null then
    raise exception 'p_data has values of the wrong type'
      using errcode = 'invalid_parameter_value', detail = v_wrong, hint = format('\d %s shows the types.', p_table);
  end if;
end
$$;

comment on function arcano.refuse_values(regclass, jsonb) is
  'Internal: raises if a value of p_data is not of its column''s type, naming each such column of p_table.';

-- Writes the place of every job of the line to its row, where it is another than the row says. A row that
-- somebody holds is left for the next time.
create or replace function arcano.renumber_line()
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed integer;
begin
  with line as (
    select j.tableoid as relid, j.id, j."position", row_number() over (order by j.created_at, j.id) as place
      from arcano.job j
     where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
  ), moved as materialized (
    select j.tableoid as relid, j.id, l.place
      from line l
      join arcano.job j on j.id = l.id and j.tableoid = l.relid and case when arcano.is_waiting(j.status) then true end
     where l."position" is distinct from l.place
       for no key update of j skip locked
  )
  update arcano.job j
     set "position" = m.place
    from moved m
   where j.id = m.id and j.tableoid = m.relid;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

comment on function arcano.renumber_line() is
  'Internal: sets position of the jobs in the line to their place, and answers how many had another.';

-- Puts a job that was claimed back into the line, at its own place, for a provider that says that it is
-- full. Wakes nobody: whoever would claim it at once would be told the same.
create or replace function arcano.requeue_job(
  p_job_id arcano.job.id%type,
  p_attempt integer default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text,
  out "position" integer
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
begin
  select j.tableoid as relid, j.status, j.created_at, coalesce(j.attempt, 0) as attempt into v_job
    from arcano.job j
   where j.id = p_job_id
     for no key update;
  changed := coalesce(arcano.is_working(v_job.status), false) and coalesce(p_attempt = v_job.attempt, true);
  if changed then
    "position" := arcano.jobs_ahead(v_job.created_at, p_job_id) + 1;
    update arcano.job j
       set status = 'queued', waited_in_queue = true, "position" = requeue_job."position",
           api_account = null, started_at = null, heartbeat_at = null, task_id = null
     where j.id = p_job_id and j.tableoid = v_job.relid;
    if not found then
      perform arcano.refuse_suppression();
    end if;
  end if;
  select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job_id) u;
  if changed then
    note := null;
  elsif arcano.is_working(status) then
    note := format('attempt %s is over: the job is at attempt %s', p_attempt, attempt);
  end if;
end
$$;

comment on function arcano.requeue_job(uuid, integer) is
  'Puts the starting or running job p_job_id back into the line and answers its place there; its slot is free, and its task_id forgotten. p_attempt: the attempt that the worker started; if the job is at another one, nothing changes. A job that waits or has ended, or is not there: changed is false, and note says why.';

-- Brings a job back that the orphan rule healed, and nothing else since, if its user has not gone on.
create or replace function arcano.revive_job(
  p_job_id arcano.job.id%type,
  p_task_id arcano.job.task_id%type,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_event text;
  v_reason text;
  v_error_before text;
  v_in_the_way record;
begin
  changed := false;
  select j.tableoid as relid, j.user_id, j.error_message into v_job
    from arcano.job j
   where j.id = p_job_id and case when j.status = 'cancelled' then true end;
  if found then
    -- What ended it last; whoever ended it after that has left another message.
    select e.event, e.reason, e.job_before ->> 'error_message' into v_event, v_reason, v_error_before
      from arcano.job_event e
     where e.job_id = p_job_id and e.event not in ('error', 'late_finish', 'refund_due', 'refunded')
     order by e.event_id desc
     limit 1;
  end if;
  if v_event is distinct from 'healed' or v_reason is distinct from v_job.error_message then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job_id) u;
    return;
  end if;

  perform arcano.lock_user(v_job.user_id);
  select c.* into v_in_the_way from arcano.find_active_job(v_job.user_id) c;
  if v_in_the_way.has_active_job then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job_id) u;
    if v_in_the_way.active_job_id <> p_job_id then -- else another start_job was first
      note := format('healed; in the way: %s %s (%s)', v_in_the_way.active_table, v_in_the_way.active_job_id,
        v_in_the_way.active_status);
    end if;
    return;
  end if;

  with before as materialized (
    select j.id, arcano.job_row(j.tableoid, j.id) as job_before
      from arcano.job j
     where j.id = p_job_id and j.tableoid = v_job.relid
  ), revived as (
    update arcano.job j
       set status = 'running', task_id = p_task_id, started_at = clock_timestamp(), completed_at = null,
           error_message = v_error_before, attempt = coalesce(j.attempt, 0) + 1
      from before b
     where j.id = b.id
       and j.tableoid = v_job.relid
       and case when j.status = 'cancelled' and j.error_message is not distinct from v_job.error_message then true end
    returning j.status, j.attempt, b.job_before
  ), journaled as (
    insert into arcano.job_event (event, source, reason, job_table, job_id, user_id, job_before)
    select 'revived', 'start_job', 'start_job came after the job was healed', arcano.table_name(v_job.relid),
           p_job_id, v_job.user_id, r.job_before
      from revived r
  )
  select r.status, r.attempt into status, attempt from revived r;
  changed := found;
  note := 'revived';
  if not changed then
    select u.status, u.attempt, u.note into status, attempt, note from arcano.unchanged_job(p_job_id) u;
  end if;
end
$$;

comment on function arcano.revive_job(uuid, text) is
  'Internal: for start_job of a job that does not wait; revives it with p_task_id if the orphan rule healed it and its user has no other active job, else says why not.';

-- Runs a job now or puts it into the line, decided in one transaction: it runs only if an account has a
-- free slot and nobody is ahead. The same question again gets the same answer. Without accounts only
-- workers start jobs, and this puts it into the line for them.
create or replace function arcano.run_or_queue(
  p_job_id arcano.job.id%type,
  p_run boolean default true,
  out decision text,
  out api_account text,
  out "position" integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job record;
  v_may_run boolean;
  v_ahead integer;
  v_slots text[];
begin
  perform arcano.need_read_committed();
  note := arcano.gone_past(p_job_id);
  if note is not null then
    return;
  end if;

  select j.tableoid as relid, j.status, j.created_at, j.api_account, j."position",
         arcano.entered_line(j."position", j.waited_in_queue) as entered_line
    into v_job
    from arcano.job j
   where j.id = p_job_id
     for no key update;
  if arcano.is_working(v_job.status) then
    decision := 'run';
    api_account := v_job.api_account;
    return;
  elsif arcano.is_waiting(v_job.status) is not true then
    select u.note into note from arcano.unchanged_job(p_job_id) u;
    return;
  elsif v_job.entered_line then
    decision := 'queued';
    "position" := coalesce(nullif(v_job."position", 0), arcano.jobs_ahead(v_job.created_at, p_job_id) + 1);
    return;
  end if;

  v_may_run := arcano.lock_line();
  v_ahead := arcano.jobs_ahead(v_job.created_at, p_job_id);
  if v_may_run and p_run and v_ahead = 0 then
    v_slots := arcano.take_slots(1);
  end if;
  if cardinality(v_slots) > 0 then
    decision := 'run';
    api_account := v_slots[1];
    perform arcano.start_in_slot((v_job.relid, p_job_id)::arcano.job_ref, api_account);
  else
    decision := 'queued';
    "position" := v_ahead + 1;
    update arcano.job j
       set status = 'queued', waited_in_queue = true, "position" = v_ahead + 1
     where j.id = p_job_id and j.tableoid = v_job.relid;
    if not found then
      perform arcano.refuse_suppression();
    end if;
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.run_or_queue(uuid, boolean) is
  'Decides about the waiting job p_job_id. run: it is starting, in a slot of api_account, and the caller is to start it at the provider. queued: it is in the line, at place position, for whoever claims it; with p_run false always so, for those who leave every start to workers. Null: it has ended or is not there, and note says so. The same call again answers the same.';

-- Adds a provider account or changes one. Waits for whoever takes a slot of it at this moment.
create or replace function arcano.set_account(
  p_name text,
  p_slots integer default null,
  p_enabled boolean default null
)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old arcano.account%rowtype;
  v_slots integer;
begin
  select a.* into v_old from arcano.account a where a.name = p_name;
  v_slots := coalesce(p_slots, v_old.slots);
  if coalesce(p_name, '') = '' or v_slots is null or v_slots not between 0 and 100000 then
    raise exception 'an account needs a name and a number of slots between 0 and 100000'
      using errcode = 'invalid_parameter_value',
        detail = format('p_name is %s, p_slots is %s.', coalesce(quote_literal(p_name), 'null'), coalesce(p_slots::text, 'null')),
        hint = 'Such as: select arcano.set_account(''provider-1'', 3);';
  end if;
  insert into arcano.account as a (name, slots, enabled)
  values (p_name, v_slots, coalesce(p_enabled, true))
  on conflict (name) do update
     set slots = coalesce(p_slots, a.slots), enabled = coalesce(p_enabled, a.enabled);
  perform arcano.wake_workers();
end
$$;

comment on function arcano.set_account(text, integer, boolean) is
  'Sets the provider account p_name: p_slots, how many jobs may be starting or running in it at once, and p_enabled, false: start no more in it. Null leaves what it was; a new account needs p_slots and is enabled. Once there is any account, jobs start only in free slots; jobs that run go on, also beyond a lowered p_slots.';

-- Registers the function that says which user an arcano_user caller is. For logins that may send SQL of their
-- own it is the only safe way, if it asks session_user: all else they can set themselves.
create or replace function arcano.set_identity_function(p_function text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.setting set identity_function = arcano.find_function(
    p_function, 'identity', '', array['uuid']::regtype[], 'public.user_of_login()');
end
$$;

comment on function arcano.set_identity_function(text) is
  'Sets the function that says which user an arcano_user caller is, such as public.user_of_login(): it takes nothing, answers a user''s id or null for nobody, and is asked instead of the settings that a gateway sets. It runs with the rights of the role that migrated: session_user is the login, current_setting(''role'') the role that it has set. arcano.claimed_user() believes what any login has set. Null: none.';

-- Changes settings of an attached table; those not named stay as they are.
create or replace function arcano.set_job_table(p_table regclass, p_settings jsonb)
returns arcano.job_table
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
  v_may_set text[];
begin
  select t.* into v_settings from arcano.job_table t where t.job_table = p_table for update;
  if not found then
    perform arcano.refuse_unattached(p_table);
  end if;

  select array_agg(a.attname order by a.attnum) into v_may_set
    from pg_attribute a
   where a.attrelid = 'arcano.job_table'::regclass and a.attnum > 0 and not a.attisdropped
     and a.attname not in ('job_table', 'attached_at');
  if jsonb_typeof(p_settings) is distinct from 'object' or not p_settings - v_may_set = '{}' then
    raise exception 'p_settings must be a JSON object of settings'
      using errcode = 'invalid_parameter_value', detail = format('It is %s.', coalesce(p_settings::text, 'null')),
        hint = format('Its keys may be %s.', array_to_string(v_may_set, ', '));
  end if;

  v_settings := jsonb_populate_record(v_settings, p_settings);
  v_settings.orphan_after := arcano.plain_seconds(v_settings.orphan_after);
  v_settings.touch_limit := arcano.plain_seconds(v_settings.touch_limit);
  v_settings.stall_after := arcano.plain_seconds(v_settings.stall_after);
  v_settings.starting_stall_after := arcano.plain_seconds(v_settings.starting_stall_after);
  v_settings.charged_orphan_after := arcano.plain_seconds(v_settings.charged_orphan_after);
  perform arcano.refuse_settings(v_settings);
  if exists (
    select
      from unnest(v_settings.user_columns) u (name)
     where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = u.name and a.attnum > 0)
        or exists (select from pg_attribute c where c.attrelid = 'arcano.job'::regclass and c.attname = u.name)
  ) then
    raise exception 'user_columns must be columns of %, and none of the contract''s', p_table
      using errcode = 'invalid_parameter_value', detail = format('They are %s.', v_settings.user_columns),
        hint = 'Only a backend sets the contract''s.';
  end if;

  update arcano.job_table t
     set tool = v_settings.tool, orphan_after = v_settings.orphan_after, touch_limit = v_settings.touch_limit,
         stall_after = v_settings.stall_after, starting_stall_after = v_settings.starting_stall_after,
         charged_orphan_after = v_settings.charged_orphan_after, refund_when = v_settings.refund_when,
         user_columns = v_settings.user_columns
   where t.job_table = p_table;
  return v_settings;
exception
  when data_exception or not_null_violation or check_violation then
    if sqlstate = '22023' then
      raise;
    end if;
    raise exception 'p_settings has a value that cannot be set'
      using errcode = 'invalid_parameter_value', detail = sqlerrm,
        hint = 'Such as {"stall_after": "10 minutes", "refund_when": ["failed", "stalled", "forced"]}.';
end
$$;

comment on function arcano.set_job_table(regclass, jsonb) is
  'Changes settings of the attached p_table, such as {"stall_after": "10 minutes"}, and answers all of them: tool, orphan_after, touch_limit, stall_after, starting_stall_after, charged_orphan_after, refund_when (which ends are refunded: failed, stalled, forced), user_columns (what arcano_user may give in p_data). Null switches a limit off. The column comments of arcano.job_table say what each does.';

-- Registers the app's own function that gives credits back.
create or replace function arcano.set_refund_function(p_function text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.setting set refund_function = arcano.find_function(
    p_function, 'refund', 'uuid, integer, text', array['boolean', 'void']::regtype[],
    'public.refund_credits(uuid,integer,text), for user, amount and reference');
end
$$;

comment on function arcano.set_refund_function(text) is
  'Sets the function that gives credits back, such as public.refund_credits(uuid,integer,text): it gets the user, the amount that was charged, and a reference that is never given twice, and is called in the transaction that ends the job. If it raises or answers false, the refund stays due and is tried again by the sweep. Null: none, and refunds stay due until settle_refund.';

-- For a refund that a person has paid in another way.
create or replace function arcano.settle_refund(p_refund_id bigint, p_note text default null)
returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_refund arcano.refund%rowtype;
begin
  select f.* into v_refund from arcano.refund f where f.refund_id = p_refund_id for update;
  if not found then
    raise exception 'there is no refund %', coalesce(p_refund_id::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'The view arcano.refund_due lists what is due.';
  end if;
  if v_refund.paid_at is not null then
    return false;
  end if;
  perform arcano.refund_is_paid(v_refund, 'settle_refund', coalesce(p_note, 'settled by ' || session_user));
  return true;
end
$$;

comment on function arcano.settle_refund(bigint, text) is
  'Marks the refund p_refund_id as paid in another way; p_note goes into the journal. False: it was paid already. The app''s function is not called.';

-- The jobs that will stall, for whoever can ask the provider about them before that. Sees them in time
-- only with p_within longer than the time between two calls.
create or replace function arcano.stalling_jobs(p_within interval default '1 minute', p_limit integer default 100)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  user_id arcano.job.user_id%type,
  task_id arcano.job.task_id%type,
  api_account text,
  attempt integer,
  stalls_at timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.refuse_limit(p_limit);
  if (p_within between '0' and '10 years') is not true then
    raise exception 'p_within must be between 0 and 10 years, not %', coalesce(p_within::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is how far ahead to look, such as 1 minute.';
  end if;
  return query
    select o.job_table, o.job_id, o.user_id, j.task_id, j.api_account, coalesce(j.attempt, 0), o.stalls_at
      from arcano.open_job o
      join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
     where arcano.is_working(o.status)
       and o.stalls_at < now() + p_within
     order by o.stalls_at
     limit p_limit;
end
$$;

comment on function arcano.stalling_jobs(interval, integer) is
  'The jobs that stall within p_within if they give no sign of life, the soonest first, at most p_limit: ask the provider, then touch_job, finish_job or fail_job.';

-- The rule of stalled jobs, written once: when a working job has been without a sign of life for too
-- long; null: never. A job that waits in the line does not stall, and one that shows neither when it
-- started nor a heartbeat is left alone: how long it has been working is not known.
--
-- Inlined into what uses it, as heals_at is.
create or replace function arcano.stalls_at(
  p_status text,
  p_started_at timestamptz,
  p_heartbeat_at timestamptz,
  p_starting_stall_after interval,
  p_stall_after interval
)
returns timestamptz
language sql stable parallel safe
return case when arcano.is_working(p_status) then
  least(greatest(p_started_at, p_heartbeat_at), '200000-01-01 00:00+00')
    + case when p_status = 'starting' then coalesce(p_starting_stall_after, p_stall_after) else p_stall_after end
end;

comment on function arcano.stalls_at(text, timestamptz, timestamptz, interval, interval) is
  'When the job that has these columns has stalled, given its table''s settings; null: never.';

-- Starts one waiting job, which the caller has locked, in a slot that the caller has taken. claim_jobs does
-- the same to many in one statement.
create or replace function arcano.start_in_slot(
  p_job arcano.job_ref,
  p_account text,
  out user_id arcano.job.user_id%type,
  out attempt integer
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.job j
     set status = 'starting', api_account = p_account, started_at = clock_timestamp(),
         attempt = coalesce(j.attempt, 0) + 1
   where j.id = p_job.id and j.tableoid = p_job.relid
  returning j.user_id, j.attempt into user_id, attempt;
  if not found then
    perform arcano.refuse_suppression();
  end if;
end
$$;

comment on function arcano.start_in_slot(arcano.job_ref, text) is
  'Internal: starts p_job in a slot of p_account (null: in none), and answers its user and attempt.';

-- The provider or a worker took the job: it runs from now on, and the rule leaves it alone. Exactly one
-- of several calls starts it; a later one may still bring the task_id that the first one did not have.
--
-- The one way back from an end: a job that the orphan rule healed is revived if the user has not gone on.
create or replace function arcano.start_job(
  p_job_id arcano.job.id%type,
  p_task_id arcano.job.task_id%type default null,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  note := arcano.gone_past(p_job_id);
  if note is not null then
    changed := false;
    select u.status, u.attempt into status, attempt from arcano.unchanged_job(p_job_id) u;
    return;
  end if;

  update arcano.job j
     set status = 'running',
         task_id = coalesce(p_task_id, j.task_id),
         started_at = coalesce(j.started_at, clock_timestamp()),
         attempt = coalesce(j.attempt, 0) + arcano.is_waiting(j.status)::integer
   where j.id = p_job_id
     and case
           when arcano.is_active(j.status) and (j.status <> 'running' or j.task_id is null and p_task_id is not null) then true
         end
  returning j.status, j.attempt into status, attempt;
  changed := found;
  if not changed then
    select r.changed, r.status, r.attempt, r.note into changed, status, attempt, note
      from arcano.revive_job(p_job_id, p_task_id) r;
  end if;

  -- Also for a job that has ended, so that the journal gets what the provider says of it.
  if p_task_id is not null and (changed or (status = any (arcano.ended_statuses())) is true)
    and arcano.bind_task(p_task_id, p_job_id, attempt)
  then
    select u.status into status from arcano.unchanged_job(p_job_id) u;
    note := 'finished by an earlier finish_task';
  end if;
end
$$;

comment on function arcano.start_job(uuid, text) is
  'Makes the waiting or starting job p_job_id a running one, with the provider''s p_task_id, and counts the attempt; a running one that has no task_id yet gets p_task_id. If finish_task came before, the job is ended as that said. A job that the orphan rule healed is revived (note: revived) if its user has no other active job; else note says healed and what is in the way. A job that runs or has ended, or is not there: changed is false, and note says why.';

-- Ends the oldest jobs to which a cause of the sweep applies: orphan, charged_ghost or stalled.
create or replace function arcano.sweep_jobs(
  p_cause text,
  p_limit integer,
  out job arcano.job_ref,
  out error text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs arcano.job_ref[];
begin
  -- Two statements, because each is read through an index of its own.
  if p_cause = 'stalled' then
    select array_agg(c.job) into v_jobs
      from (
        select (j.tableoid, j.id)::arcano.job_ref as job
          from arcano.open_job o
          join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
         where o.is_stalled and not arcano.is_put_off(o.job_id)
         order by o.stalls_at
         limit p_limit
           for update of j skip locked
      ) c;
  else
    select array_agg(c.job) into v_jobs
      from (
        select (j.tableoid, j.id)::arcano.job_ref as job
          from arcano.open_job o
          join arcano.job j on j.tableoid = o.relid and j.id = o.job_id
         where o.is_outside
           and case p_cause when 'orphan' then o.is_orphan when 'charged_ghost' then o.is_charged_ghost end
           and not arcano.is_put_off(o.job_id)
         order by o.created_at
         limit p_limit
           for update of j skip locked
      ) c;
  end if;
  return query select e.job, e.error from arcano.end_jobs(v_jobs, 'sweep', p_cause) e;
end
$$;

comment on function arcano.sweep_jobs(text, integer) is
  'Internal: ends at most p_limit jobs to which p_cause applies, as end_jobs does.';

-- One batch of the sweep, and a row in arcano.sweep_run. Of all tables, the oldest first and at most
-- p_limit in all:
--
--   * orphans are cancelled;
--   * charged ghosts are cancelled and refunded, where their table has a charged_orphan_after;
--   * stalled jobs are failed, where their table has a stall_after.
--
-- It also pays refunds that are due, writes places to rows where keep_positions is on, and wakes workers
-- if a slot is free beside a line. Safe to run many at once: each takes what no other one holds. Never
-- needed for a right answer of check_user_active.
create or replace function arcano.sweep_orphans(p_limit integer default 1000)
returns table (job_table text, cancelled integer, stalled integer)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_cause text;
  v_cancelled arcano.job_ref[] := '{}';
  v_stalled arcano.job_ref[] := '{}';
  v_ended arcano.job_ref[];
  v_left integer := p_limit;
  v_errors integer;
  v_failed integer := 0;
begin
  perform arcano.refuse_limit(p_limit);
  for v_cause in
    select c.cause
      from (
        values
          ('orphan', true),
          ('charged_ghost', exists (select from arcano.job_table t where t.charged_orphan_after is not null)),
          ('stalled', exists (
            select from arcano.job_table t where t.stall_after is not null or t.starting_stall_after is not null))
      ) c (cause, applies)
     where c.applies
  loop
    exit when v_left = 0;
    select coalesce(array_agg(e.job) filter (where e.error is null), '{}'),
           count(*) filter (where e.error is not null)
      into v_ended, v_errors
      from arcano.sweep_jobs(v_cause, v_left) e;
    v_left := v_left - cardinality(v_ended);
    v_failed := v_failed + v_errors;
    if v_cause = 'stalled' then
      v_stalled := v_ended;
    else
      v_cancelled := v_cancelled || v_ended;
    end if;
  end loop;

  perform arcano.pay_refunds(p_limit);
  delete from arcano.task t where t.created_at < now() - interval '30 days';
  if exists (select from arcano.setting s where s.keep_positions) then
    begin
      perform arcano.renumber_line();
    exception
      -- Such as the app's own trigger: the jobs that were ended stay so.
      when others then
        raise warning 'the places in the line could not be written: % %', sqlstate, sqlerrm;
    end;
  end if;
  perform arcano.wake_workers();

  insert into arcano.sweep_run (started_at, cancelled, stalled, failed)
  values (v_started_at, cardinality(v_cancelled), cardinality(v_stalled), v_failed);

  return query
    select arcano.table_name(r.relid), (count(*) - sum(r.is_stalled))::integer, sum(r.is_stalled)::integer
      from (
        select c.relid, 0 as is_stalled from unnest(v_cancelled) c
         union all
        select s.relid, 1 from unnest(v_stalled) s
      ) r
     group by r.relid
     order by 1;
end
$$;

comment on function arcano.sweep_orphans(integer) is
  'Cancels orphans, and charged ghosts and stalled jobs where their table says so, at most p_limit in all, and answers a row for each table with any. One that cannot be ended is journaled as an error and tried again later. Fewer than p_limit in all: nothing more to do now. Also tries again to pay refunds that are due, keeps positions where that is switched on, and wakes workers.';

-- The name of a table with its schema, whatever the caller's search_path is.
create or replace function arcano.table_name(p_relid oid)
returns text
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the name
as $$
begin
  return p_relid::regclass::text;
end
$$;

comment on function arcano.table_name(oid) is
  'Schema and name of the table p_relid, quoted where needed, such as public.upscaler_jobs.';

-- Up to p_limit free slots, each as the name of its account, the least loaded account first. Every account answered is locked until the transaction ends, so
-- that nobody else counts its free slots meanwhile; one that somebody else has locked is passed over.
create or replace function arcano.take_slots(p_limit integer)
returns text[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- nor may a plan outlive the time when most rows waited
as $$
declare
  v_accounts text[];
  v_slots text[];
begin
  -- Which have free slots is only certain once they are locked: if not one of them has, look again.
  for v_round in 1..3 loop
    select array_agg(l.name) into v_accounts
      from (
        select a.name
          from arcano.account a
          join arcano.account_status s on s.api_account = a.name
         where s.free > 0
         order by s.used::float8 / s.slots, a.name
         limit p_limit
           for no key update of a skip locked
      ) l;
    exit when v_accounts is null;

    select array_agg(f.name order by f.load, f.name) into v_slots
      from (
        select s.api_account as name, n::float8 / s.slots as load
          from arcano.account_status s
         cross join generate_series(s.used + 1, least(s.used + s.free, s.used + p_limit)) n
         where s.api_account = any (v_accounts)
         order by load, name
         limit p_limit
      ) f;
    exit when v_slots is not null;
  end loop;
  return coalesce(v_slots, '{}');
end
$$;

comment on function arcano.take_slots(integer) is
  'Internal: locks accounts with free slots, and answers up to p_limit of those slots, each as its account''s name.';

-- A sign of life from a slow client or a worker. The orphan rule lets it protect a waiting job for no
-- longer than the table's touch_limit.
create or replace function arcano.touch_job(
  p_job_id arcano.job.id%type,
  out changed boolean,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not arcano.is_trusted() then
    perform arcano.refuse_strange_job(p_job_id);
  end if;
  changed := false;
  note := arcano.gone_past(p_job_id);
  if note is null then
    update arcano.job j
       set heartbeat_at = clock_timestamp()
     where j.id = p_job_id
       and case when arcano.is_active(j.status) then true end
    returning j.status, coalesce(j.attempt, 0) into status, attempt;
    changed := found;
  end if;
  if not changed then
    select u.status, u.attempt, coalesce(touch_job.note, u.note) into status, attempt, note
      from arcano.unchanged_job(p_job_id) u;
  end if;
end
$$;

comment on function arcano.touch_job(uuid) is
  'Sets heartbeat_at of the waiting or working job p_job_id. A job that has ended, or is not there: changed is false, and note says why.';

-- Why a call changed nothing, in the words that every function of a job's life uses. Always one row.
create or replace function arcano.unchanged_job(
  p_job_id arcano.job.id%type,
  out status text,
  out attempt integer,
  out note text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  select j.status, coalesce(j.attempt, 0) into status, attempt from arcano.job j where j.id = p_job_id;
  note := coalesce('already ' || status, 'no such job');
end
$$;

comment on function arcano.unchanged_job(uuid) is
  'Internal: status and attempt of job p_job_id, and the note of a call that came late or twice.';

-- Tells workers that listen that there is something to claim: a job in the line, and a free slot. To be
-- called in every transaction that adds either; however often that is, one notification comes of it.
create or replace function arcano.wake_workers()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- a plan made while most rows waited must not outlive that
as $$
begin
  if exists (select from arcano.account) and not exists (select from arcano.account_status a where a.free > 0) then
    return;
  end if;
  perform
    from arcano.job j
   where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
   order by j.created_at, j.id
   limit 1;
  if found then
    perform pg_notify('arcano_jobs', '');
  end if;
end
$$;

comment on function arcano.wake_workers() is
  'Internal: notifies channel arcano_jobs if there is a job in the line and a free slot.';


do $load$
begin
-- Every job that is waiting or being worked on, in any attached table, and what the orphan rule says
-- about it. All that asks the rule asks it here. A table without settings (inherited by hand) has no
-- orphans: its jobs only ever block.
create or replace view arcano.open_job as
select j.tableoid as relid,
       arcano.table_name(j.tableoid) as job_table,
       t.tool,
       j.id as job_id,
       j.user_id,
       j.session_id,
       j.status,
       arcano.is_waiting(j.status) as is_waiting,
       j.created_at,
       j.started_at,
       j."position",
       h.heals_at,
       -- heals_at is null for a job that does not wait or is in the line. Said here as well, it lets
       -- whoever asks for orphans read them through the partial index of what waits outside of the line.
       l.is_outside and coalesce(h.heals_at < now(), false) as is_orphan,
       arcano.is_in_line(j.status, j."position", j.waited_in_queue) as is_in_line,
       s.stalls_at,
       arcano.is_working(j.status) and coalesce(s.stalls_at < now(), false) as is_stalled,
       case when c.is_charged then g.since end as charged_ghost_since,
       l.is_outside and c.is_charged and coalesce(g.until < now(), false) as is_charged_ghost,
       l.is_outside
  from arcano.job j
  left join arcano.job_table t on t.job_table = j.tableoid
  cross join lateral (
    select arcano.heals_at(
      j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost, j.credits_charged,
      j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit
    )
  ) h (heals_at)
  cross join lateral (
    select arcano.is_waiting(j.status) and not arcano.entered_line(j."position", j.waited_in_queue)
  ) l (is_outside)
  cross join lateral (
    select arcano.stalls_at(j.status, j.started_at, j.heartbeat_at, t.starting_stall_after, t.stall_after)
  ) s (stalls_at)
  cross join lateral (select arcano.is_charged(j.credits_charged, j.user_credit_cost)) c (is_charged)
  -- A charged ghost would be an orphan, had it not been charged.
  cross join lateral (
    select arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, 0, false,
             j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.orphan_after, t.touch_limit
           ),
           arcano.heals_at(
             j.status, j.task_id, j."position", j.waited_in_queue, 0, false,
             j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, t.charged_orphan_after, t.touch_limit
           )
  ) g (since, until)
 where arcano.is_active(j.status);

comment on view arcano.open_job is
  'Every waiting or working job of every attached table, with what the orphan rule says about it.';
comment on column arcano.open_job.heals_at is
  'When the rule makes the job an orphan if nothing more happens; null: never.';
comment on column arcano.open_job.is_orphan is 'Whether the job is an orphan now.';
comment on column arcano.open_job.is_in_line is 'Whether the job waits in the line.';
comment on column arcano.open_job.is_outside is 'Whether the job waits outside of the line.';
comment on column arcano.open_job.stalls_at is
  'When the job has stalled if it gives no sign of life until then; null: never.';
comment on column arcano.open_job.is_stalled is 'Whether the job has stalled.';
comment on column arcano.open_job.charged_ghost_since is
  'When the job became an orphan but for its charge, or will; null: it is not charged, or never.';
comment on column arcano.open_job.is_charged_ghost is
  'Whether the job is a charged ghost for so long that its table says to end and refund it.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view open_job of a newer release stays';
end
$load$;


do $load$
begin
-- The jobs that block their users.
create or replace view arcano.active_job as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.started_at, o."position", o.heals_at
  from arcano.open_job o
 where not o.is_orphan;

comment on view arcano.active_job is
  'The jobs that block their users: waiting or being worked on, and not an orphan.';
comment on column arcano.active_job.heals_at is
  'When the rule makes the job an orphan if nothing more happens; null: never.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view active_job of a newer release stays';
end
$load$;


do $load$
begin
-- Each provider account with its slots.
create or replace view arcano.account_status as
select a.name as api_account, a.enabled, a.slots,
       coalesce(u.used, 0) as used,
       case when a.enabled then greatest(a.slots - coalesce(u.used, 0), 0) else 0 end as free
  from arcano.account a
  left join (
    select j.api_account, count(*)::integer as used
      from arcano.job j
     where arcano.is_working(j.status)
     group by j.api_account
  ) u on u.api_account = a.name;

comment on view arcano.account_status is 'The provider accounts, and how many of their slots jobs hold.';
comment on column arcano.account_status.used is 'Jobs that are starting or running in it.';
comment on column arcano.account_status.free is 'How many more jobs may start in it now.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view account_status of a newer release stays';
end
$load$;


do $load$
begin
-- What users are owed.
create or replace view arcano.refund_due as
select f.refund_id, arcano.table_name(f.job_table) as job_table, f.job_id, f.user_id, f.kind, f.amount,
       f.due_at, f.tries, f.tried_at, f.error
  from arcano.refund f
 where f.paid_at is null;

comment on view arcano.refund_due is
  'Refunds that are not paid yet; settle_refund marks one as paid in another way.';
comment on column arcano.refund_due.error is 'Why it is not paid yet.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view refund_due of a newer release stays';
end
$load$;


do $load$
begin
-- Charged, never started, never in the line, and as old as an orphan: the rule leaves it alone, because
-- somebody paid. A person has to look, or its table has a charged_orphan_after.
create or replace view arcano.charged_ghost as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.charged_ghost_since as ghost_since
  from arcano.open_job o
 where o.charged_ghost_since < now();

comment on view arcano.charged_ghost is
  'Jobs that were charged and then forgotten: they block their users until somebody cancels them, or the sweep where the table''s charged_orphan_after says so.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view charged_ghost of a newer release stays';
end
$load$;


do $load$
begin
-- The line, in no order: sort by created_at, job_id.
create or replace view arcano.line_job as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status, o.created_at, o."position"
  from arcano.open_job o
 where o.is_in_line;

comment on view arcano.line_job is
  'The jobs that wait in the line; its order is created_at, then job_id.';
comment on column arcano.line_job."position" is
  'Its place when it entered, or when the sweep last wrote it (keep_positions); queue_position tells the one now.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view line_job of a newer release stays';
end
$load$;


do $load$
begin
-- The ghosts: what the next check of the user or the next sweep will cancel.
create or replace view arcano.orphan_job as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.heals_at as orphan_since
  from arcano.open_job o
 where o.is_orphan;

comment on view arcano.orphan_job is
  'The jobs that the orphan rule ends at the next check of their user or the next sweep.';
comment on column arcano.orphan_job.orphan_since is 'Since when the job is an orphan.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view orphan_job of a newer release stays';
end
$load$;


do $load$
begin
-- One row for each attached table: what waits and what runs.
create or replace view arcano.queue_status as
select arcano.table_name(t.job_table) as job_table,
       t.tool,
       count(*) filter (where o.is_in_line) as in_line,
       min(o.created_at) filter (where o.is_in_line) as oldest_in_line,
       count(*) filter (where o.is_waiting and not o.is_in_line) as outside_line,
       count(*) filter (where o.status = 'starting') as starting,
       count(*) filter (where o.status = 'running') as running,
       count(*) filter (where o.is_stalled) as stalled
  from arcano.job_table t
  left join arcano.open_job o on o.relid = t.job_table
 group by t.job_table, t.tool;

comment on view arcano.queue_status is 'Of each attached table, how many jobs wait and how many are worked on.';
comment on column arcano.queue_status.outside_line is 'Waiting, but not in the line: being made ready, or ghosts.';
comment on column arcano.queue_status.stalled is 'Worked on, but without a sign of life for longer than the table allows.';

exception
  when invalid_table_definition then -- it has columns that this release does not know
    raise notice 'arcano: the view queue_status of a newer release stays';
end
$load$;


do $load$
declare
  v_obsolete constant text := 'Obsolete: the next release that is loaded drops it.';
  r record;
begin
  for r in
    select o.kind, o.name, obj_description(o.oid, o.catalog) = v_obsolete as is_marked
      from (
        select 'function' as kind, p.oid::regprocedure::text as name, p.oid, 'pg_proc' as catalog
          from pg_proc p
         where p.pronamespace = 'arcano'::regnamespace
           and current_setting('arcano.functions_before')::jsonb ->> p.oid::regprocedure::text = p.xmin::text
         union all
        select 'view', c.oid::regclass::text, c.oid, 'pg_class'
          from pg_class c
         where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v' and c.relname not in ('open_job', 'active_job', 'account_status', 'refund_due', 'charged_ghost', 'line_job', 'orphan_job', 'queue_status')
      ) o
     order by o.kind desc, o.name
  loop
    if r.is_marked then
      begin
        execute format('drop %s %s', r.kind, r.name);
      exception
        when dependent_objects_still_exist then
          raise warning 'arcano: % % is obsolete, and something else needs it', r.kind, r.name
            using detail = sqlerrm;
      end;
    else
      execute format('comment on %s %s is %L', r.kind, r.name, v_obsolete);
    end if;
  end loop;
end
$load$;

-- Who may call what. Nobody reads or writes arcano.job but the package's own security definer
-- functions: a job table's grants and row level security do not apply to a query on its parent.
revoke all on all functions in schema arcano from public;

-- Default privileges of the database may have given the contract's table to somebody when it was made.
do $$
declare
  v_grantee oid;
begin
  for v_grantee in
    select distinct a.grantee
      from pg_class c cross join lateral aclexplode(c.relacl) a
     where c.oid = any (array['arcano.job', 'arcano.open_job', 'arcano.lock']::regclass[]) and a.grantee <> c.relowner
  loop
    execute format('revoke all on arcano.job, arcano.open_job, arcano.lock from %s',
      case v_grantee when 0 then 'public' else v_grantee::regrole::text end);
  end loop;
end
$$;

-- A type, of a table's rows too, is everybody's by default, and a column of it elsewhere would be in the way
-- of the table's next change.
do $$
begin
  execute (
    select 'revoke all on type ' || string_agg(t.oid::regtype::text, ', ') || ' from public'
      from pg_type t
     where t.typnamespace = 'arcano'::regnamespace and t.typtype = 'c'
  );
end
$$;

do $$
declare
  v_role regrole;
begin
  foreach v_role in array array[to_regrole('arcano_backend'), to_regrole('arcano_operator')] loop
    continue when v_role is null;
    execute format('grant usage on schema arcano to %s', v_role);
    execute format($grant$
      grant execute on function
        arcano.check_user_active(uuid),
        arcano.cancel_session(uuid, text, text),
        arcano.create_job(regclass, uuid, uuid, text, jsonb),
        arcano.touch_job(uuid),
        arcano.start_job(uuid, text),
        arcano.fail_job(uuid, text, integer),
        arcano.finish_job(uuid, text, text, integer),
        arcano.finish_jobs(uuid[], text, text, integer[]),
        arcano.finish_task(text, text, text),
        arcano.run_or_queue(uuid, boolean),
        arcano.claim_jobs(integer, uuid[], integer[]),
        arcano.requeue_job(uuid, integer),
        arcano.cancel_job(uuid, boolean, text),
        arcano.queue_position(uuid),
        arcano.explain_job(uuid),
        arcano.stalling_jobs(interval, integer)
        to %s
    $grant$, v_role);
  end loop;

  -- Each of these asks who calls, and answers about that user alone.
  if to_regrole('arcano_user') is not null then
    grant usage on schema arcano to arcano_user;
    grant execute on function
      arcano.check_user_active(uuid),
      arcano.create_job(regclass, uuid, uuid, text, jsonb),
      arcano.touch_job(uuid),
      arcano.cancel_session(uuid, text, text),
      arcano.cancel_job(uuid, boolean, text),
      arcano.queue_position(uuid),
      arcano.explain_job(uuid)
      to arcano_user;
  end if;

  if to_regrole('arcano_operator') is not null then
    grant execute on function
      arcano.sweep_orphans(integer),
      arcano.set_job_table(regclass, jsonb),
      arcano.set_account(text, integer, boolean),
      arcano.drop_account(text),
      arcano.keep_positions(boolean),
      arcano.set_refund_function(text),
      arcano.set_identity_function(text),
      arcano.settle_refund(bigint, text)
      to arcano_operator;
    grant select on
      arcano.active_job, arcano.orphan_job, arcano.charged_ghost, arcano.line_job, arcano.queue_status,
      arcano.account_status, arcano.refund_due,
      arcano.job_table, arcano.account, arcano.setting, arcano.refund, arcano.task, arcano.job_event, arcano.sweep_run
      to arcano_operator;
    -- What the views call is called with the rights of who reads them.
    grant execute on function
      arcano.waiting_statuses(), arcano.working_statuses(),
      arcano.is_waiting(text), arcano.is_working(text), arcano.is_active(text),
      arcano.table_name(oid),
      arcano.entered_line(integer, boolean),
      arcano.is_in_line(text, integer, boolean),
      arcano.is_charged(boolean, integer),
      arcano.stalls_at(text, timestamptz, timestamptz, interval, interval),
      arcano.heals_at(
        text, text, integer, boolean, integer, boolean, timestamptz, timestamptz, timestamptz, boolean, interval, interval
      )
      to arcano_operator;
  end if;
end
$$;


insert into arcano.release (source_fingerprint, loaded_fingerprint)
values ('e90998bf343bc598b7ab0b411e32a2aa', (
    select md5(string_agg(d.definition, '' order by d.definition))
      from (
        select pg_catalog.pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '')
          from pg_catalog.pg_proc p
         where p.pronamespace = to_regnamespace('arcano')
         union all
        select c.relname || pg_catalog.pg_get_viewdef(c.oid) || coalesce(c.relacl::text, '')
          from pg_catalog.pg_class c
         where c.relnamespace = to_regnamespace('arcano') and c.relkind = 'v'
         union all
        select r.rolname -- one that is made later has no grants yet
          from pg_catalog.pg_roles r
         where r.rolname like 'arcano\_%'
      ) d (definition)
))
on conflict (only_one) do update
   set source_fingerprint = excluded.source_fingerprint, loaded_fingerprint = excluded.loaded_fingerprint,
       loaded_at = excluded.loaded_at;
reset check_function_bodies;
reset search_path;
reset client_min_messages;

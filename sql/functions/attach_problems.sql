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
             case
               -- In this time zone the stored values stay as they are, and the table is not rewritten.
               when c.atttypid = 'timestamp'::regtype and k.atttypid = 'timestamptz'::regtype and c.attgenerated = ''
                 then 'set timezone = ''UTC''; alter table %1$s alter column %2$I type %3$s; reset timezone;'
               when c.attgenerated = 's' then 'alter table %1$s alter column %2$I drop expression;'
               when c.attgenerated = 'v' then 'alter table %1$s drop column %2$I, add column %2$I %3$s;'
               else 'alter table %1$s alter column %2$I type %3$s%4$s using %5$s;'
             end,
             p_table, c.attname, t.wanted,
             case when t.other_collation then ' collate ' || k.attcollation::regcollation end,
             case
               when k.atttypid = 'timestamptz'::regtype and c.atttypid = 'date'::regtype
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
             else format('alter table %s add column id %s primary key%s;', p_table, i.type,
               case i.type when 'uuid' then ' default gen_random_uuid()' when 'text' then ' default gen_random_uuid()::text'
                 else ' generated by default as identity' end)
           end
        from (select format_type(a.atttypid, a.atttypmod) from pg_attribute a where a.attrelid = 'arcano.job'::regclass and a.attname = 'id') i (type);
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

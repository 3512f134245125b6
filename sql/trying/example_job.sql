-- What a job of a table can be made of, to try that: a user, and what the app has to give beside it, which is
-- what cannot be null and has no default. Both are a real row's, because checks, foreign keys and triggers may ask for more than a type.
--
-- Dynamic, because the table's own columns are read.
create or replace function arcano.example_job(p_table regclass, out job_id arcano.job.id%type, out user_id arcano.job.user_id%type, out data jsonb, out needs text[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
  v_job_id arcano.job.id%type;
  v_user_id arcano.job.user_id%type;
  v_user name;
  v_row jsonb;
  v_reference record;
begin
  select x.* into m from arcano.mapping x where x.relid = p_table;
  v_user := coalesce(m.columns ->> 'user_id', 'user_id');
  needs := array(
    select a.attname::text
      from pg_attribute a
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attnotnull and not a.atthasdef
       and a.attidentity = '' and a.attgenerated = ''
       and not exists (
         select from pg_attribute k
          where k.attrelid = 'arcano.job'::regclass and k.attname <> 'user_credit_cost'
            and a.attname = coalesce(m.columns ->> k.attname, k.attname))
     order by a.attnum);
  if not exists (
    select from pg_attribute a
     where a.attrelid = p_table and a.attname = coalesce(m.columns ->> 'id', 'id') and (a.atthasdef or a.attidentity <> ''))
  then
    job_id := case pg_typeof(v_job_id) when 'uuid'::regtype then gen_random_uuid()::text when 'text'::regtype then left(md5(random()::text), 20)
      else (1900000000 + random() * 100000000)::integer::text end;
  end if;
  execute format('select to_jsonb(t) from only %s t limit 1', p_table) into v_row;
  select coalesce(jsonb_object_agg(n.name, case
           when v.value = 'null' or not exists (select from arcano.unique_columns(p_table) u (name) where u.name = n.name) then v.value
           when a.atttypid = 'uuid'::regtype then to_jsonb(gen_random_uuid())
           when t.typcategory = 'S' then to_jsonb(left(md5(random()::text), nullif(a.atttypmod - 4, -5)))
           else v.value end), '{}')
    into data
    from unnest(needs) n (name)
    join pg_attribute a on a.attrelid = p_table and a.attname = n.name
    join pg_type t on t.oid = a.atttypid
   cross join lateral (select coalesce(v_row -> n.name, 'null')) v (value);

  -- An attached or mapped table has an index that tells who is free; of any other, all rows have to.
  for v_user_id in execute format(
    case when m.relid is not null or exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass)
      then 'select distinct r.user_id from (%s limit 1000) r where r.user_id is not null'
      else 'select r.user_id from (%s) r where r.user_id is not null group by r.user_id having not bool_or(arcano.is_open(r.status)) limit 100' end,
    arcano.rows_to_check(p_table))
  loop
    if not exists (select from arcano.job j where j.user_id = v_user_id and arcano.is_open(j.status)) and not arcano.generated_is_busy(v_user_id) then
      user_id := v_user_id;
      return;
    end if;
  end loop;
  -- None of its own users is free.
  select x.confrelid::regclass as relid, a.attname into v_reference
    from pg_constraint x
    join pg_attribute o on o.attrelid = x.conrelid and x.conkey = array[o.attnum] and o.attname = v_user
    join pg_attribute a on a.attrelid = x.confrelid and x.confkey = array[a.attnum]
   where x.conrelid = p_table and x.contype = 'f'
     -- Its policies would run as it is read.
     and (arcano.is_told('trust_owner') or (select w.owner from arcano.weaker_owner(x.confrelid) w) is null)
   limit 1;
  if v_reference is null then
    user_id := case pg_typeof(v_user_id) when 'uuid'::regtype then gen_random_uuid()::text when 'text'::regtype then 'arcano-db tries' else '2000000000' end;
    return;
  end if;
  for v_user_id in
    execute format('select t.%1$I from %2$s t where t.%1$I::text not in (select r.user_id::text from (%3$s) r where r.user_id is not null and arcano.is_open(r.status)) limit 100',
      v_reference.attname, v_reference.relid, arcano.rows_to_check(p_table))
  loop
    if not exists (select from arcano.job j where j.user_id = v_user_id and arcano.is_open(j.status)) and not arcano.generated_is_busy(v_user_id) then
      user_id := v_user_id;
      return;
    end if;
  end loop;
  -- Nobody is free: somebody whose jobs all wait is made free, for as long as it is tried. What is worked on is left alone.
  execute format('select r.user_id from (%s) r where r.user_id is not null group by r.user_id having not bool_or(arcano.is_working(r.status)) limit 1', arcano.rows_to_check(p_table))
    into user_id;
end
$$;

comment on function arcano.example_job(regclass) is
  'Internal: an id for a job of p_table (null: the table gives it), a user, of those who have no open job if there is one (null: there is none at all), the values of a row of p_table that create_job has to be given, and of which columns.';

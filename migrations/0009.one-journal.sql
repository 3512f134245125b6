-- The words of the journal are known by the one function that writes it: checking them in each row cost a third of
-- an entry. What could not be started or ended backs off in a table of its own, which a claim can ask for little.
alter table arcano.job_event
  drop constraint if exists job_event_event_is_known,
  drop constraint if exists job_event_source_is_known;

-- Of the types that were chosen when installing.
do $$
declare
  v_id constant text := (
    select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
     where a.attrelid = 'arcano.job'::regclass and a.attname = 'id');
  v_user_id constant text := (
    select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
     where a.attrelid = 'arcano.job'::regclass and a.attname = 'user_id');
begin
  if to_regtype('arcano.job_snapshot') is null then
    execute format('create type arcano.job_snapshot as (relid oid, id %s, user_id %s, job jsonb)', v_id, v_user_id);
  end if;
  if to_regclass('arcano.job_backoff') is null then
    execute format(
      'create table arcano.job_backoff (
         job_table regclass,
         job_id %s,
         first_failed_at timestamptz not null,
         retry_at timestamptz not null,
         primary key (job_table, job_id)
       )', v_id);
  end if;
end
$$;

comment on type arcano.job_snapshot is
  'The row of a job at one moment, with all columns of its own table: what the journal keeps.';
comment on table arcano.job_backoff is
  'The jobs that could not be started or ended lately: claims and the sweep pass over them until retry_at. The journal says why.';
comment on column arcano.job_backoff.first_failed_at is 'Since when it has been failing.';
comment on column arcano.job_backoff.retry_at is 'When it is tried again.';

-- An index is called after the queue that it serves.
do $$
declare
  v_index record;
begin
  for v_index in
    select x.indexrelid::regclass as name, regexp_replace(c.relname, '_arcano_line$', '_arcano_queue') as new_name
      from pg_catalog.pg_inherits i
      join pg_catalog.pg_index x on x.indrelid = i.inhrelid
      join pg_catalog.pg_class c on c.oid = x.indexrelid
     where i.inhparent = 'arcano.job'::regclass and c.relname like '%\_arcano\_line'
  loop
    execute format('alter index %s rename to %I', v_index.name, v_index.new_name);
  end loop;
end
$$;

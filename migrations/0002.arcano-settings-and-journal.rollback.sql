-- Refuse here, while detach_job_table is still there to be called. PostgreSQL itself would refuse to
-- drop arcano.job later. Never "cascade": it would drop the attached tables.
do $$
declare
  v_attached text;
begin
  if to_regclass('arcano.job') is null then
    return;
  end if;
  lock table arcano.job in access exclusive mode;
  select string_agg(format('select arcano.detach_job_table(%L);', format('%I.%I', c.relnamespace::regnamespace, c.relname)), ' ')
    into v_attached
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
   where i.inhparent = 'arcano.job'::regclass;
  if v_attached is not null then
    raise exception 'job tables are still attached to arcano.job'
      using errcode = 'dependent_objects_still_exist', hint = 'Detach them first: ' || v_attached;
  end if;
end
$$;

-- The functions and views of sql/ stand on these tables. Their names are not repeated here; they are
-- dropped without cascade, so that what somebody built on them stops this with the name of it.
do $$
declare
  v_names text;
begin
  select string_agg(format('%I.%I', n.nspname, c.relname), ', ') into v_names
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'arcano' and c.relkind = 'v';
  if v_names is not null then
    execute 'drop view ' || v_names;
  end if;
  select string_agg(p.oid::regprocedure::text, ', ') into v_names
    from pg_catalog.pg_proc p
   where p.pronamespace = to_regnamespace('arcano');
  if v_names is not null then
    execute 'drop routine ' || v_names;
  end if;
end
$$;

drop table if exists arcano.release;

drop table if exists arcano.sweep_run;

drop table if exists arcano.job_event;

drop table if exists arcano.job_table;

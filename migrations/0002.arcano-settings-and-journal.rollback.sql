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
   where p.pronamespace = 'arcano'::regnamespace;
  if v_names is not null then
    execute 'drop routine ' || v_names;
  end if;
end
$$;

drop table arcano.release;

drop table arcano.sweep_run;

drop table arcano.job_event;

drop table arcano.job_table;

-- The functions and views of the older release are loaded afterwards. Those of this one that name what goes must go
-- before it.
do $$
declare
  v_views text;
  v_functions text;
begin
  select string_agg(c.oid::regclass::text, ', ') into v_views
    from pg_catalog.pg_class c where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v';
  if v_views is not null then
    execute 'drop view ' || v_views;
  end if;
  select string_agg(p.oid::regprocedure::text, ', ') into v_functions
    from pg_catalog.pg_proc p where p.prorettype = to_regtype('arcano.request');
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
end
$$;

drop table if exists arcano.request;

alter table arcano.job_table drop column if exists id_form;

do $$
declare
  v_functions text;
begin
  select string_agg(p.oid::regprocedure::text, ', ') into v_functions
    from pg_catalog.pg_proc p where p.pronamespace = to_regnamespace('arcano_api');
  if v_functions is not null then
    execute 'drop routine ' || v_functions;
  end if;
end
$$;

drop schema if exists arcano_api;

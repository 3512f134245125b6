-- What is mapped would no longer block anybody, without a word.
do $$
declare
  v_names text;
begin
  if to_regclass('arcano.mapping') is null then
    return;
  end if;
  select string_agg(format('select arcano.unmap_job_table(%L);', m.name), ' ') into v_names from arcano.mapping m;
  if v_names is not null then
    raise exception 'tables are still mapped'
      using errcode = 'dependent_objects_still_exist', hint = 'Unmap them first: ' || v_names;
  end if;
  -- The functions of sql/ that take a mapping, and those that were written; without cascade, as ever.
  select string_agg(p.oid::regprocedure::text, ', ') into v_names
    from pg_catalog.pg_proc p
   where p.pronamespace = 'arcano'::regnamespace
     and ('arcano.mapping'::regtype = any (p.proargtypes) or p.prorettype = 'arcano.mapping'::regtype or p.proname ~ '^generated_');
  if v_names is not null then
    execute 'drop routine ' || v_names;
  end if;
end
$$;

drop table if exists arcano.mapped_exempt;
drop table if exists arcano.mapping;

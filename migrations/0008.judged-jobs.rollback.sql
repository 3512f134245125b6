-- The constraint stays: it is true of every release, and to drop it would hold up every call.
--
-- The older release has no judged_job, and its open_job does not read it; its views are loaded afterwards. Those
-- that others read come last.
do $$
declare
  v_view text;
begin
  for v_view in
    select c.oid::regclass
      from pg_catalog.pg_class c
     where c.relnamespace = 'arcano'::regnamespace and c.relkind = 'v'
     order by c.relname = 'judged_job', c.relname = 'open_job', c.relname <> 'metric'
  loop
    execute 'drop view ' || v_view;
  end loop;
end
$$;

-- What a domain is over, however deep. One expression, so that a scan of a database where nothing is installed can use it.
create or replace function arcano.base_type(p_type oid)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with recursive under (type, depth) as (
      select p_type, 0
       union all
      select t.typbasetype, u.depth + 1 from under u join pg_type t on t.oid = u.type where t.typtype = 'd'
    )
    select u.type from under u order by u.depth desc limit 1
  );
end
$$;

comment on function arcano.base_type(oid) is
  'Internal: the type that the domain p_type is over; of any other type, itself.';

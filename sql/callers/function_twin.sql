-- A function that no call can tell from another one: f(), where there is an f(x integer default 1) too. PostgreSQL then
-- refuses the call, and knows no other way to say which of them is meant.
create or replace function arcano.function_twin(p_oid oid)
returns regprocedure
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select o.oid
      from pg_proc p
      join pg_proc o on o.proname = p.proname and o.pronamespace = p.pronamespace and o.oid <> p.oid
     where p.oid = p_oid
       and o.pronargs > p.pronargs
       and o.pronargs - o.pronargdefaults <= p.pronargs
       and (p.pronargs = 0 or starts_with(oidvectortypes(o.proargtypes), oidvectortypes(p.proargtypes) || ','))
     order by o.oid
     limit 1
  );
end
$$;

comment on function arcano.function_twin(oid) is
  'Internal: a function that takes whatever call is meant for the function p_oid, because its further arguments have defaults; or null.';

-- What a domain is over, however deep.
create or replace function arcano.base_type(p_type oid)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_type oid := p_type;
begin
  while exists (select from pg_type t where t.oid = v_type and t.typtype = 'd') loop
    v_type := (select t.typbasetype from pg_type t where t.oid = v_type);
  end loop;
  return v_type;
end
$$;

comment on function arcano.base_type(oid) is
  'Internal: the type that the domain p_type is over; of any other type, itself.';

-- Which of the types that the ids of an installation can have suits ids of a type.
create or replace function arcano.guess_id_type(p_type oid)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when p_type in ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype) then p_type::regtype::text
           when p_type = 'smallint'::regtype then 'integer'
           else 'text'
         end
$$;

comment on function arcano.guess_id_type(oid) is
  'Internal: the type that ids of the type p_type have in an installation that is made for them.';

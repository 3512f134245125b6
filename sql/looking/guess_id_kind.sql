-- Which of the types that ids can have here is nearest to a column's.
create or replace function arcano.guess_id_kind(p_type oid)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when p_type in ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype) then format_type(p_type, null)
    when p_type = 'smallint'::regtype then 'integer' else 'text' end;
end
$$;

comment on function arcano.guess_id_kind(oid) is
  'Internal: the type of ids, of those that can be chosen when installing, that suits a column of the type p_type.';

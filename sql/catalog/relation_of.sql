-- What a name means now. It raises nothing: to_regclass does where a schema is not open to who asks, and then the catalogs say
-- what is there, so that whoever reads it is told what it lacks.
create or replace function arcano.relation_of(p_name text)
returns oid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return to_regclass(p_name);
exception
  when insufficient_privilege then
    return (
      select c.oid
        from parse_ident(p_name) i (parts)
        join pg_namespace n on n.nspname = i.parts[cardinality(i.parts) - 1]
        join pg_class c on c.relnamespace = n.oid and c.relname = i.parts[cardinality(i.parts)]);
  when syntax_error_or_access_rule_violation or feature_not_supported then -- no name at all, or one of another database
    return null;
end
$$;

comment on function arcano.relation_of(text) is
  'Internal: the oid of the relation p_name, whether or not its schema may be used; null: there is none.';

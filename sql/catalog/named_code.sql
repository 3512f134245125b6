-- Whose a function, type, operator or relation is now, and in which schema it lies, by what pg_identify_object called it: a dump keeps
-- names, and no oids.
create or replace function arcano.named_code(p_code text, out owner oid, out schema oid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_kind constant text := split_part(p_code, ' ', 1);
  v_name constant text := substr(p_code, length(v_kind) + 2);
begin
  case v_kind
    when 'type' then select t.typowner, t.typnamespace into owner, schema from pg_type t where t.oid = to_regtype(v_name);
    when 'operator' then select o.oprowner, o.oprnamespace into owner, schema from pg_operator o where o.oid = to_regoperator(v_name);
    when 'function', 'procedure', 'aggregate' then
      select p.proowner, p.pronamespace into owner, schema from pg_proc p where p.oid = to_regprocedure(v_name);
    else -- such as: view public.v, or: materialized view public.v
      select c.relowner, c.relnamespace into owner, schema from pg_class c where c.oid = arcano.relation_of(regexp_replace(v_name, '^(view|table) ', ''));
  end case;
exception
  when syntax_error_or_access_rule_violation then -- its schema may not be used: it is not read either
    null;
end
$$;

comment on function arcano.named_code(text) is
  'Internal: owner and schema of p_code, such as function public.f(text); null: there is none.';

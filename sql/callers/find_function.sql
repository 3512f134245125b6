-- Finds a function of the app's own that the package is to call. It runs with the rights of the role that migrated,
-- so it must belong to a role that has those rights anyway.
create or replace function arcano.find_function(
  p_function text,
  p_purpose text,
  p_arguments text,
  p_results regtype[],
  p_example text
)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_function oid;
  v_problem text;
begin
  if p_function is null then
    return null;
  end if;
  begin
    v_function := to_regprocedure(p_function);
  exception
    when syntax_error or invalid_name or data_exception or undefined_object then
      null; -- before PostgreSQL 16 what is no name at all is an error, and not null
  end;
  select case
           when p.oid is null then 'there is no such function'
           when p.prokind <> 'f' or p.proretset then 'it is no ordinary function'
           when oidvectortypes(p.proargtypes) <> p_arguments then format('it does not take (%s)', p_arguments)
           when p.prorettype <> all (p_results) then format('it does not answer %s', array_to_string(p_results, ' or '))
           when not pg_has_role(p.proowner, current_user, 'member') then format(
             'it belongs to %s, who may not do what %s may', p.proowner::regrole, current_user)
         end
    into v_problem
    from (select v_function) f (oid) left join pg_proc p on p.oid = f.oid;
  if v_problem is not null then
    raise exception '% cannot be the % function', p_function, p_purpose
      using errcode = 'invalid_parameter_value', detail = v_problem,
        hint = format('Name it with its schema and types, such as %s.', p_example);
  end if;
  return v_function::regprocedure::text;
end
$$;

comment on function arcano.find_function(text, text, text, regtype[], text) is
  'Internal: the full name of the function p_function; raises unless it takes p_arguments, answers one of p_results, and belongs to who migrated. p_purpose and p_example are for the error.';

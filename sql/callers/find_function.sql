-- Finds a function of the app's own that the package is to call. It runs with the rights of the role that migrated,
-- so it must belong to a role that has those rights anyway; and it must be meant for this: operators may call it.
create or replace function arcano.find_function(
  p_function text,
  p_purpose text,
  p_arguments text,
  p_results regtype[],
  p_example text,
  out function_name text,
  out function_oid oid,
  out function_owner text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_operator constant regrole := to_regrole('arcano_operator'); -- null: then there are none, and it is the owner who calls
  v_problem text;
begin
  if p_function is null then
    return;
  end if;
  begin
    function_oid := to_regprocedure(p_function);
  exception
    when syntax_error or invalid_name or data_exception or undefined_object then
      null; -- before PostgreSQL 16 what is no name at all is an error, and not null
  end;
  select case
           when p.oid is null then 'there is no such function'
           when p.prokind <> 'f' or p.proretset then 'it is no ordinary function'
           when oidvectortypes(p.proargtypes) <> p_arguments then format('it does not take (%s)', p_arguments)
           when p.prorettype <> all (p_results) then format('it does not answer %s', array_to_string(p_results, ' or '))
           when arcano.function_twin(p.oid) is not null then format('a call cannot tell it from %s', arcano.function_twin(p.oid))
           when not arcano.may_act_as_migrator(p.proowner) then format(
             'it belongs to %s, who may not do what %s may', p.proowner::regrole, current_user)
           when not has_function_privilege(v_operator, p.oid, 'execute')
             and p.oid <> 'arcano.claimed_user()'::regprocedure then format(
             '%s may not execute it, and it may not be meant for this', v_operator)
         end,
         pg_get_userbyid(p.proowner)
    into v_problem, function_owner
    from (select function_oid) f (oid) left join pg_proc p on p.oid = f.oid;
  if v_problem is not null then
    raise exception '% cannot be the % function', p_function, p_purpose
      using errcode = 'invalid_parameter_value', detail = v_problem,
        hint = format('Name it with its schema and types, such as %s.', p_example)
          || case when v_problem like 'it belongs to %'
               then format(' To give it to whoever migrated: alter function %s owner to %I;', function_oid::regprocedure, current_user)
               when v_problem like '% may not execute it, %'
               then format(' If it is meant for this: grant execute on function %s to %s;', function_oid::regprocedure, v_operator)
               else '' end;
  end if;
  function_name := function_oid::regprocedure;
end
$$;

comment on function arcano.find_function(text, text, text, regtype[], text) is
  'Internal: the full name of the function p_function, its oid and its owner (p_function null: all null); raises unless it takes p_arguments, answers one of p_results, belongs to who has the rights of who migrated, and may be called by operators. p_purpose and p_example are for the error.';

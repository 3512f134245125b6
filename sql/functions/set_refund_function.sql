-- Registers the app's own function that gives credits back. It is called with the rights of the role that
-- migrated, and so must belong to a role that has those anyway.
create or replace function arcano.set_refund_function(p_function text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function oid;
  v_problem text;
begin
  if p_function is not null then
    begin
      v_function := to_regprocedure(p_function);
    exception
      when syntax_error or data_exception or undefined_object then
        null; -- before PostgreSQL 16 what is no name at all is an error, and not null
    end;
    select case
             when p.oid is null then 'there is no such function'
             when p.prokind <> 'f' or p.proretset then 'it is no ordinary function'
             when oidvectortypes(p.proargtypes) <> 'uuid, integer, text'
               then 'it does not take a user (uuid), an amount (integer) and a reference (text)'
             when p.prorettype not in ('boolean'::regtype, 'void'::regtype) then 'it answers neither boolean nor void'
             when not pg_has_role(p.proowner, current_user, 'member') then format(
               'it belongs to %s, who may not do what %s may', p.proowner::regrole, current_user)
           end
      into v_problem
      from (select v_function) f (oid) left join pg_proc p on p.oid = f.oid;
    if v_problem is not null then
      raise exception '% cannot be the refund function', p_function
        using errcode = 'invalid_parameter_value', detail = v_problem,
          hint = 'Name it with its schema and types, such as public.refund_credits(uuid,integer,text).';
    end if;
  end if;
  update arcano.setting set refund_function = v_function::regprocedure::text;
end
$$;

comment on function arcano.set_refund_function(text) is
  'Sets the function that gives credits back, such as public.refund_credits(uuid,integer,text): it gets the user, the amount that was charged, and a reference that is never given twice, and is called in the transaction that ends the job. If it raises or answers false, the refund stays due and is tried again by the sweep. Null: none, and refunds stay due until settle_refund.';

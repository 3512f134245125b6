-- A registered function has another oid after a restore or an upgrade of the server, or where its owner dropped it and
-- made it again. Whoever migrates registers it again where it belongs to a role of the same name, which could
-- have put anything into it anyway. Of another owner's, check_health says what happened, and a person decides.
create or replace function arcano.register_again()
returns setof text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known record;
begin
  for v_known in
    select f.purpose, f.name
      from arcano.registered_functions() f
      join pg_proc p on p.oid = to_regprocedure(f.name)
     where arcano.function_problem(f.name, f.oid, f.owner) is not null
       and pg_get_userbyid(p.proowner) = coalesce(f.owner, pg_get_userbyid(p.proowner))
     order by f.purpose
  loop
    begin
      if v_known.purpose = 'refund' then
        perform arcano.set_refund_function(v_known.name);
      else
        perform arcano.set_identity_function(v_known.name);
      end if;
      return next v_known.name;
    exception
      when invalid_parameter_value then null; -- it cannot be registered; check_health says what is wrong
    end;
  end loop;
end
$$;

comment on function arcano.register_again() is
  'Internal: registers those functions again that have another oid, and belong to whom they belonged; answers their names.';

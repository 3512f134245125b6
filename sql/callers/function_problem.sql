-- Why a function that is registered must not be called any more; null: it is still the one that was registered, and
-- still belongs to whom it belonged. Its name says neither: once it is gone, anybody who may create in its schema can
-- make another. Its owner may replace its body, as an app does with each release: who owns it has the rights with
-- which it is called. What was renamed or moved is not called either: a dump has its name alone.
--
-- Volatile, and so not by the snapshot of the statement that calls: what is called is the function as it is now. A
-- transaction that keeps its first snapshot cannot ask this; who calls a function by it must not be in one.
create or replace function arcano.function_problem(p_function text, p_oid oid, p_owner text)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_oid constant oid := to_regprocedure(p_function);
  v_owner constant oid := (select p.proowner from pg_proc p where p.oid = v_oid);
begin
  return p_function || ' ' || case
    when p_oid is null or p_owner is null then 'was registered by an older release, which did not keep whose it was'
    when v_owner is null then coalesce(
      (select format('is called %s now', p.oid::regprocedure) from pg_proc p where p.oid = p_oid), 'is gone')
    when v_oid <> p_oid then format('is not the one that was registered, but another of %I', pg_get_userbyid(v_owner))
    when pg_get_userbyid(v_owner) <> p_owner then format(
      'belongs to %I, and belonged to %I when it was registered', pg_get_userbyid(v_owner), p_owner)
    when not arcano.may_act_as_migrator(v_owner) then format(
      'belongs to %I, who may not do any more what %I may', p_owner, current_user)
    when arcano.function_twin(v_oid) is not null then format('cannot be told from %s in a call', arcano.function_twin(v_oid))
  end;
end
$$;

comment on function arcano.function_problem(text, oid, text) is
  'Internal: why the registered function p_function, which had p_oid and belonged to p_owner, must not be called; null: it may be.';

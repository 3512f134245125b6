-- Which user a caller of arcano_api is. Nobody is an error, and never the service. Where the function that is registered
-- must not be called any more, everybody is nobody.
--
-- Dynamic, because the function that the operator registered is the app's own.
create or replace function arcano.caller_id()
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function text;
  v_oid oid;
  v_owner text;
  v_problem text;
  v_gateway boolean;
  v_user_id arcano.job.user_id%type;
begin
  select s.identity_function, s.identity_function_oid, s.identity_function_owner
    into v_function, v_oid, v_owner
    from arcano.setting s;
  v_gateway := v_function is null and arcano.is_gateway();
  if v_function is not null then
    v_problem := case
      when not arcano.is_read_committed() then format(
        'In a %s transaction it cannot be seen whose %s is.', current_setting('transaction_isolation'), v_function)
      when arcano.function_problem(v_function, v_oid, v_owner) is not null then format(
        '%s must not be called any more.', v_function)
    end;
    if v_problem is null then
      execute format('select %s()', v_oid::regproc) into v_user_id;
    end if;
  elsif v_gateway then
    v_user_id := arcano.claimed_user();
  end if;
  if v_user_id is null then
    raise exception 'it is not known which user calls'
      using errcode = 'insufficient_privilege',
        detail = case
          when v_problem is not null then v_problem
          when v_function is not null then format('%s names nobody.', v_function)
          when v_gateway then 'None of request.jwt.claims, request.jwt.claim.sub and arcano.user_id names a user, or two of them name two.'
          when current_setting('role') = 'none' then format(
            '%s has not put on a role, and so what this session has set is not believed.', session_user)
          else format('%s as %s is no gateway, and so what this session has set is not believed.', session_user, current_setting('role'))
        end,
        hint = case
          when v_problem like 'In a %' then 'Call this in a read committed transaction.'
          when v_problem is not null then 'arcano-db doctor says why.'
          when v_function is null and not v_gateway then
            'A gateway is a login that may act as arcano_backend and says: set role arcano_user; (or a role that is granted it). For a login of a user''s own an operator can register a function that knows whose it is: select arcano.set_identity_function(...);'
          else 'Sign in.'
        end;
  end if;
  return v_user_id;
end
$$;

comment on function arcano.caller_id() is
  'Internal: the user that a caller of arcano_api is, from the registered function or what a gateway has set; raises if that is nobody.';

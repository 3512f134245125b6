-- Registers the function that says which user an arcano_user caller is. For logins that may send SQL of their
-- own it is the only safe way, if it asks session_user: all else they can set themselves.
create or replace function arcano.set_identity_function(p_function text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_function constant record := arcano.find_function(
    p_function, 'identity', '', array[pg_typeof(v_user_id)], 'public.user_of_login()');
begin
  update arcano.setting
     set identity_function = v_function.function_name, identity_function_oid = v_function.function_oid,
         identity_function_owner = v_function.function_owner;
end
$$;

comment on function arcano.set_identity_function(text) is
  'Sets the function that says which user an arcano_user caller is, such as public.user_of_login(): it takes nothing, answers a user''s id or null for nobody, and is asked instead of the settings that a gateway sets. It runs with the rights of the role that migrated: session_user is the login, current_setting(''role'') the role that it has set. arcano.claimed_user() believes what any login has set. Once there is one, it alone is asked, and nothing that a gateway sets. What is called is this function, for as long as it belongs to whom it belongs now; public or arcano_operator must be allowed to execute it. Null: none.';

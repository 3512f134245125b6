-- The user that the session's settings name: the claims that PostgREST and Supabase set for each request,
-- or arcano.user_id. Null if they are empty, are no id, or name two users.
create or replace function arcano.claimed_user()
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_users integer;
begin
  select min(c.claim), count(distinct c.claim) into v_user_id, v_users
    from (
      values
        (nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')),
        (nullif(current_setting('request.jwt.claim.sub', true), '')),
        (nullif(current_setting('arcano.user_id', true), ''))
    ) c (claim);
  return case when v_users = 1 then v_user_id end;
exception
  when data_exception then
    return null;
end
$$;

comment on function arcano.claimed_user() is
  'The user named by the session''s settings request.jwt.claims (sub), request.jwt.claim.sub or arcano.user_id; null: nobody, or more than one. Any client that can run SQL can set these: see set_identity_function.';

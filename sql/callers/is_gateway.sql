-- Whether the login of this session may act as a backend, if it sets its role. What such a login has set
-- can be believed: it could do anything to anybody's jobs anyway. Any other login can set the same, and lie.
create or replace function arcano.is_gateway()
returns boolean
language sql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(bool_or(pg_has_role(session_user, a.grantee, 'member')), false)
    from pg_proc p
   cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
   where p.oid = 'arcano.only_backends_may_call()'::regprocedure and a.grantee <> 0
$$;

comment on function arcano.is_gateway() is
  'Internal: whether this session''s login may act as a backend, so that the settings of the session are its word.';

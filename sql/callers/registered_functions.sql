-- The functions of the app's own that the package calls, and what is known of each since it was registered.
create or replace function arcano.registered_functions(out purpose text, out name text, out oid oid, out owner text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select f.*
    from arcano.setting s
   cross join lateral (
     values
       ('identity', s.identity_function, s.identity_function_oid, s.identity_function_owner),
       ('refund', s.refund_function, s.refund_function_oid, s.refund_function_owner)
   ) f
$$;

comment on function arcano.registered_functions() is
  'Internal: what is registered for each purpose (identity, refund): name (null: nothing), and the oid and the owner that it had then.';

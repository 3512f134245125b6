-- Where ids are texts, a user of a table of uuids or numbers has one spelling there. In any other the app's ORM would write the same
-- user, and who is admitted, and locked, would be another one.
create or replace function arcano.refuse_other_spelling(p_user_id text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_name text;
  v_spelled text;
begin
  select m.name, case m.user_id_type when 'uuid' then translate(lower(btrim(p_user_id)), '{}', '') else ltrim(btrim(p_user_id), '+') end
    into v_name, v_spelled
    from arcano.mapping m
   where m.user_id_type = 'uuid' and p_user_id !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
         and translate(btrim(p_user_id), '{}-', '') ~* '^[0-9a-f]{32}$'
      or m.user_id_type in ('bigint', 'integer', 'smallint') and p_user_id !~ '^(0|-?[1-9][0-9]*)$' and p_user_id ~ '^\s*[-+]?[0-9]+\s*$'
   order by m.name
   limit 1;
  if found then
    raise exception 'user % is spelled otherwise in %', quote_literal(p_user_id), v_name
      using errcode = 'invalid_parameter_value', hint = format('Give it as the database spells it, such as %L.', v_spelled);
  end if;
end
$$;

comment on function arcano.refuse_other_spelling(text) is
  'Internal: raises if p_user_id is another spelling of a user id of a mapped table.';

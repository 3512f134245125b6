-- One type that holds all of these kinds of ids.
create or replace function arcano.guess_id_type(p_kinds text[])
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case when count(distinct k.kind) = 1 then min(k.kind)
             when bool_and(k.kind in ('bigint', 'integer')) then 'bigint'
             else 'text' end
      from unnest(p_kinds) k (kind)
    having count(*) > 0
  );
end
$$;

comment on function arcano.guess_id_type(text[]) is
  'Internal: the type of ids, of those that can be chosen when installing, that holds all of p_kinds, as guess_id_kind has them.';

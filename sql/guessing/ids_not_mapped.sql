-- Whether the ids of a table can be read as those of this installation, whose types were chosen once.
create or replace function arcano.ids_not_mapped(p_mapping arcano.mapping, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select case when i.type is null then format('%s is of a type that has two spellings of one value, or that has no canonical one', i.name)
             else format('%s is %s, and in this installation %s', i.name, i.type, i.wanted) end,
           case when i.type is null then 'uuid, bigint, integer, smallint, text and varchar can be mapped.'
             else format('With text, tables of all types live side by side. On a new installation, or after: arcano-db uninstall: arcano-db migrate --%s text',
               case i.name when 'id' then 'id-type' else 'user-id-type' end) end
      from (
        select n.name, arcano.mapped_id_type(p_mapping, n.name) as type, arcano.contract_type(n.name) as wanted
          from unnest(array['id', 'user_id']) n (name)
         where arcano.mapped_expression(p_mapping, n.name) is not null
      ) i
     where i.type is null
        or i.wanted <> 'text' and i.type <> i.wanted and not (i.wanted = 'bigint' and i.type in ('smallint', 'integer'));
end
$$;

comment on function arcano.ids_not_mapped(arcano.mapping) is
  'Internal: which ids of the table of p_mapping are not of the types of this installation; no row: they are.';

-- What all expressions of a mapping name. Of one that is wrong, mapping_column_problems tells.
create or replace function arcano.mapping_code(p_mapping arcano.mapping)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select jsonb_object_agg(c.key, c.value)
      from jsonb_each_text(p_mapping.columns) e
     cross join lateral arcano.mapping_probe(p_mapping, e.value, coalesce(arcano.contract_type(e.key), 'text')) p
     cross join lateral jsonb_each(p.code) c
     where e.value is not null
       and not exists (
         select from pg_attribute a
          where a.attrelid = p_mapping.relid and a.attname = e.value and a.attnum > 0 and not a.attisdropped)), '{}');
end
$$;

comment on function arcano.mapping_code(arcano.mapping) is
  'Internal: the functions, types, operators and relations that the expressions of p_mapping name, and to whom each belongs.';

-- What all expressions of a mapping name: whose code, and which columns, beside those that are mapped by their names. Of one that is
-- wrong, mapping_column_problems tells.
create or replace function arcano.mapping_probes(p_mapping arcano.mapping, out code jsonb, out uses text[])
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  select coalesce(jsonb_object_agg(c.key, c.value) filter (where c.key is not null), '{}'),
         array(
           select a.attname
             from pg_attribute a
            where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped
              and (a.attname = any (array_agg(u.name))
                or a.attname in (
                  select coalesce(p_mapping.columns ->> k.attname, k.attname) from pg_attribute k
                   where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and arcano.mapped_expression(p_mapping, k.attname::text) is not null))
            order by a.attname)
    into code, uses
    from (select e.* from jsonb_each_text(p_mapping.columns) e
           where e.value is not null
             and not exists (
               select from pg_attribute a
                where a.attrelid = p_mapping.relid and a.attname = e.value and a.attnum > 0 and not a.attisdropped)) e
    left join lateral arcano.mapping_probe(p_mapping, e.value, coalesce(arcano.contract_type(e.key), 'text')) p on true
    left join lateral jsonb_each(p.code) c on true
    left join lateral unnest(p.uses) u (name) on true;
end
$$;

comment on function arcano.mapping_probes(arcano.mapping) is
  'Internal: the functions, types, operators and relations that the expressions of p_mapping name, and to whom each belongs; and the columns of its table that are read.';

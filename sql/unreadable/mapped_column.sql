-- The column that a mapped table has now for one of the contract; none: an expression stands for it, or nothing.
create or replace function arcano.mapped_column(p_mapping arcano.mapping, p_column text)
returns pg_attribute
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select a
    from pg_attribute a
   where a.attrelid = arcano.relation_of(p_mapping.name) and a.attnum > 0 and not a.attisdropped
     and a.attname = coalesce(p_mapping.columns ->> p_column, p_column)
$$;

comment on function arcano.mapped_column(arcano.mapping, text) is
  'Internal: the column of the table of p_mapping that is p_column of the contract; null: none is.';

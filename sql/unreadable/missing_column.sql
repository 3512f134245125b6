-- Which column of a mapped table that it takes to block anybody is not there any more, which is what a migration of the app does most.
create or replace function arcano.missing_column(p_mapping arcano.mapping)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select format('it has no column %I any more, which is its %s', coalesce(p_mapping.columns ->> c.name, c.name), c.name)
      from unnest(array['id', 'user_id', 'status', 'created_at']) c (name)
     where arcano.relation_of(p_mapping.name) is not null
       and (c.name <> 'created_at' or not p_mapping.columns ? c.name) -- else it may be an expression
       and not exists (
         select from pg_attribute a
          where a.attrelid = arcano.relation_of(p_mapping.name) and a.attnum > 0 and not a.attisdropped and a.attname = coalesce(p_mapping.columns ->> c.name, c.name))
     limit 1
  );
end
$$;

comment on function arcano.missing_column(arcano.mapping) is
  'Internal: which column of the table of p_mapping is not there any more; null: none, as far as can be told, or the table is gone.';

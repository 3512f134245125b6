-- Which column of a mapped table is not there any more, or is none that can be read as it is mapped: what a migration of the app does
-- most. First of those that it takes to block anybody.
create or replace function arcano.missing_column(p_mapping arcano.mapping)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select format('it has no column %I any more, which is its %s', coalesce(p_mapping.columns ->> c.name, c.name), c.name)
      from unnest(array['id', 'user_id', 'status', 'created_at']) c (name)
     where arcano.relation_of(p_mapping.name) is not null
       -- A name that is no column any more might be read as something else.
       and (c.name <> 'created_at' or not p_mapping.columns ? c.name or p_mapping.columns ->> c.name = any (p_mapping.uses)) -- else it is an expression
       and (arcano.mapped_column(p_mapping, c.name)).attname is null
     limit 1
  ), (
    -- What else is read: an expression, or what tells that somebody has a job.
    select format('it has no column %I any more', u.name)
      from unnest(p_mapping.uses) u (name)
     where arcano.relation_of(p_mapping.name) is not null
       and not exists (
         select from pg_attribute a
          where a.attrelid = arcano.relation_of(p_mapping.name) and a.attnum > 0 and not a.attisdropped and a.attname = u.name)
     limit 1
  ), (
    select format('%I is a timestamp without time zone, and no zone is mapped', a.attname)
      from pg_attribute a
     where p_mapping.time_zone is null and a.attrelid = arcano.relation_of(p_mapping.name) and not a.attisdropped
       and arcano.base_type(a.atttypid) = 'timestamp'::regtype
       and a.attname in (select coalesce(p_mapping.columns ->> d.name, d.name) from unnest(array['created_at', 'started_at', 'heartbeat_at', 'completed_at']) d (name))
     limit 1
  ));
end
$$;

comment on function arcano.missing_column(arcano.mapping) is
  'Internal: why a column of the table of p_mapping cannot be read as it says: it is gone, or a date without a zone; null: none, as far as can be told, or the table is gone.';

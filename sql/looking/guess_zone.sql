-- The time zone in which a table's dates are probably written; null: all that are read are instants.
create or replace function arcano.guess_zone(p_table oid, p_columns jsonb)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select 'UTC'
      from pg_attribute a
     where a.attrelid = p_table and arcano.base_type(a.atttypid) = 'timestamp'::regtype and not a.attisdropped
       and a.attname in (select coalesce(p_columns ->> c.name, c.name) from unnest(array['created_at', 'started_at', 'completed_at', 'heartbeat_at']) c (name))
     limit 1
  );
end
$$;

comment on function arcano.guess_zone(oid, jsonb) is
  'Internal: UTC, as most ORMs write, if p_table, mapped with p_columns, has a date without time zone; else null.';

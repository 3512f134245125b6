-- The call that maps a table, as somebody would write it into a migration. What is null or empty is left out.
create or replace function arcano.mapping_call(
  p_table text,
  p_columns jsonb,
  p_statuses jsonb,
  p_writes jsonb,
  p_time_zone text,
  p_orphan_after text default null,
  p_mode text default null,
  p_force boolean default null
)
returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select format('select * from arcano.%I(%s);', 'map_job_table', string_agg(concat(a.name, ' => ', quote_literal(a.value)), ', ' order by a.place))
    from (
      values (1, 'p_table', p_table), (2, 'p_columns', nullif(p_columns, '{}')::text), (3, 'p_statuses', nullif(p_statuses, '{}')::text),
        (4, 'p_writes', nullif(p_writes, '{}')::text), (5, 'p_time_zone', p_time_zone), (6, 'p_orphan_after', p_orphan_after), (7, 'p_mode', p_mode),
        (8, 'p_force', p_force::text)
    ) a (place, name, value)
   where a.value is not null
$$;

comment on function arcano.mapping_call(text, jsonb, jsonb, jsonb, text, text, text, boolean) is
  'Internal: the call of map_job_table with these arguments.';

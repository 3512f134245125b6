-- What the rule cannot do without is not made up when a table is attached: with a column that the app never fills, it would protect
-- nobody. Where other columns of the table say it, the table is to be mapped.
create or replace function arcano.missing_columns(p_table regclass, out problem text, out mend text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select format('it has no column %s', string_agg(n.name, ', ' order by n.ordinality)),
           case when bool_and(arcano.guess_column(p_table, n.name) is null) then
               format('alter table %s %s; -- and let the app write them%s', p_table, string_agg(
                 format('add column %I %s%s', n.name, format_type(k.atttypid, k.atttypmod), case n.name when 'created_at' then ' default now()' end),
                 ', ' order by n.ordinality),
                 case when bool_or(n.name = 'created_at') then '; the rows that are there count as made now' end)
           end
      from unnest(array['user_id', 'status', 'created_at']) with ordinality n (name)
      join pg_attribute k on k.attrelid = 'arcano.job'::regclass and k.attname = n.name
     where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = n.name and not a.attisdropped)
    having count(*) > 0;
end
$$;

comment on function arcano.missing_columns(regclass) is
  'Internal: which of user_id, status and created_at p_table lacks, and the statement that adds them (null: other columns say what they would); no row: none.';

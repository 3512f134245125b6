-- Which rows of a mapped table are asked for, so that its own indexes find them:
--
--   user     the open jobs of the user $1
--   open     all open ones
--   all      whatever there is
--   id       the one with the id $1
--   ids      those with the ids $1, as text
--   places   those that lie at $1 in the table, or the partition, $2
--   core     the open jobs of the user $1, with nothing of what may have changed but that: the words that are left
--
-- All but core say what the table was, so that no plan outlives that. The words stand here themselves: what stood in a function
-- over them would read the whole table.
create or replace function arcano.mapped_where(p_mapping arcano.mapping, p_rows text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_words constant text := (
    select string_agg(quote_literal(s.key), ', ' order by s.key) from jsonb_each_text(p_mapping.statuses) s where arcano.is_open(s.value));
  v_core constant text := (
    select string_agg(quote_literal(s.key), ', ' order by s.key) from jsonb_each_text(p_mapping.statuses) s
     where arcano.is_open(s.value) and s.key <> all (arcano.lost_words(p_mapping)));
  v_is_as_mapped constant text := format('arcano.is_as_mapped(%L, %L, %L)', p_mapping.name, p_mapping.uses, p_mapping.shape);
  v_status constant text := arcano.mapped_expression(p_mapping, 'status');
  v_user constant text := format('%s = %s', arcano.mapped_expression(p_mapping, 'user_id'), arcano.mapped_parameter('$1', p_mapping.user_id_type, 'user_id'));
begin
  return case when p_rows <> 'core' then v_is_as_mapped || ' and ' else '' end || case
    when p_rows = 'user' then format('%s in (%s) and %s', v_status, v_words, v_user)
    when p_rows = 'core' then format('%s in (%s) and %s', v_status, v_core, v_user)
    when p_rows = 'all' then 'true'
    when p_rows = 'open' then format('%s in (%s)', v_status, v_words)
    when p_rows = 'id' then format('%s = %s', arcano.mapped_expression(p_mapping, 'id'), arcano.mapped_parameter('$1', p_mapping.id_type, 'id'))
    when p_rows = 'places' then 't.ctid = any ($1) and t.tableoid = $2'
    when p_rows = 'ids' then format('%s = any ($1::text[]::%s[])', arcano.mapped_expression(p_mapping, 'id'), p_mapping.id_type)
  end;
end
$$;

comment on function arcano.mapped_where(arcano.mapping, text) is
  'Internal: the condition on a row t of the table of p_mapping; p_rows: user, open, all, id, ids, places or core.';

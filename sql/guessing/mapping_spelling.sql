-- How the column of status spells a word: what is compared with it later is its text.
--
-- Dynamic, because a word is read as the type of the app's own column.
create or replace function arcano.mapping_spelling(p_mapping arcano.mapping, p_word text, out spelled text, out problem text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  a constant pg_attribute := arcano.mapped_column(p_mapping, 'status');
begin
  execute format('select (%L::%s)::text', p_word, format_type(a.atttypid, a.atttypmod)) into spelled;
exception
  when data_exception or integrity_constraint_violation then
    problem := sqlerrm;
end
$$;

comment on function arcano.mapping_spelling(arcano.mapping, text) is
  'Internal: p_word as the column of status of p_mapping spells it, or why it is no value of it.';

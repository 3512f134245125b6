-- The statement that reads rows of a mapped table with what the rules say of them: the text of judged_job itself, over those
-- rows instead of the attached ones. So the rules are written once.
create or replace function arcano.mapped_judgement(p_mapping arcano.mapping, p_rows text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_view constant text := rtrim(pg_get_viewdef('arcano.judged_job'::regclass), '; ');
  v_source constant text := 'arcano.job j';
begin
  if cardinality(string_to_array(v_view, v_source)) <> 2 then
    raise exception 'judged_job does not read arcano.job once' using errcode = 'internal_error';
  end if;
  return replace(v_view, v_source, format('(%s offset 0) j', arcano.mapped_rows(p_mapping, p_rows)));
end
$$;

comment on function arcano.mapped_judgement(arcano.mapping, text) is
  'Internal: the statement that reads rows of the table of p_mapping as judged_job has those of attached tables; p_rows: as for mapped_where.';

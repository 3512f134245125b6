-- A mapping as map_job_table is to keep it, from what its caller gives: the table by its full name, what is written where only
-- one word means that, the types in which ids are compared, and whose it is. What is wrong with it, mapping_findings says.
create or replace function arcano.mapping_of(
  p_table text,
  p_columns jsonb,
  p_statuses jsonb,
  p_writes jsonb,
  p_time_zone text
)
returns arcano.mapping
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  perform arcano.refuse_mapping_arguments(p_columns, p_statuses, p_writes);
  m.relid := arcano.relation_of(p_table);
  m.name := coalesce(arcano.table_name(m.relid), p_table);
  m.owner := (select pg_get_userbyid(c.relowner) from pg_class c where c.oid = m.relid);
  m.columns := coalesce(p_columns, '{}');
  m.statuses := coalesce(p_statuses, '{}');
  m.time_zone := p_time_zone;
  m.writes := coalesce((
    select jsonb_object_agg(s.value, s.word)
      from (select w.value, min(w.key) as word from jsonb_each_text(m.statuses) w group by w.value having count(*) = 1) s
  ), '{}') || coalesce(p_writes, '{}');
  m.id_type := arcano.mapped_id_type(m, 'id');
  m.user_id_type := arcano.mapped_id_type(m, 'user_id');
  m.code := '{}';
  m.uses := '{}';
  if m.relid is not null then
    select p.code, p.uses into m.code, m.uses from arcano.mapping_probes(m) p;
  end if;
  m.shape := arcano.shape_of(m.name, m.uses);
  m.mapped_at := clock_timestamp();
  m.blocks := false;
  return m;
end
$$;

comment on function arcano.mapping_of(text, jsonb, jsonb, jsonb, text) is
  'Internal: the mapping that map_job_table makes of its arguments, whether or not it can work.';

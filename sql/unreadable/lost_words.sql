-- Words of open jobs that are no values of their column any more, as after "alter type ... rename value": jobs that have the new ones
-- are found by nobody.
create or replace function arcano.lost_words(p_mapping arcano.mapping)
returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_type constant oid := arcano.base_type((arcano.mapped_column(p_mapping, 'status')).atttypid);
begin
  if not exists (select from pg_type t where t.oid = v_type and t.typtype = 'e') then
    return '{}';
  end if;
  return array(
    select s.key from jsonb_each_text(p_mapping.statuses) s
     where arcano.is_open(s.value) and not exists (select from pg_enum e where e.enumtypid = v_type and e.enumlabel = s.key));
end
$$;

comment on function arcano.lost_words(arcano.mapping) is
  'Internal: the words of open jobs that are none of the values of the enum that the table of p_mapping has for its status.';

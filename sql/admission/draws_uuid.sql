-- Whether a new job whose id nobody gave needs a uuid. The table's own default comes first, and other types have no value
-- that is surely new.
create or replace function arcano.draws_uuid(p_table regclass, p_column text)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_default boolean;
  v_type regtype;
begin
  select a.atthasdef or a.attidentity <> '', arcano.base_type(a.atttypid) into v_has_default, v_type
    from pg_attribute a
   where a.attrelid = p_table and a.attname = p_column;
  if not v_has_default and v_type <> 'uuid'::regtype then
    raise exception 'p_job_id must not be null'
      using errcode = 'null_value_not_allowed', detail = format('The column %s of %s has no default.', quote_ident(p_column), p_table),
        hint = 'Give the job an id of its own, or its column a default.';
  end if;
  return not v_has_default;
end
$$;

comment on function arcano.draws_uuid(regclass, text) is
  'Internal: whether p_column of p_table, which has the ids, is to be given a new uuid where nobody gave one; raises where nothing gives an id.';

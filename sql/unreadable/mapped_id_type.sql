-- In which type the ids of a mapped table are compared: uuid, bigint, integer, smallint or text, and for a domain what it is
-- over. Any other type (citext, char(n)) has two spellings of one id, and is none: null.
create or replace function arcano.mapped_id_type(p_mapping arcano.mapping, p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_type constant oid := arcano.base_type((arcano.mapped_column(p_mapping, p_column)).atttypid);
begin
  return case
    when v_type in ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'text'::regtype) then format_type(v_type, null)
    when v_type = 'varchar'::regtype then 'text'
    when v_type is null and p_mapping.columns ->> p_column is not null then 'text' -- an expression
  end;
end
$$;

comment on function arcano.mapped_id_type(arcano.mapping, text) is
  'Internal: the type in which p_column (id or user_id) of the table of p_mapping is compared; null: none that can be.';

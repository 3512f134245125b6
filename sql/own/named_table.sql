-- The attached table that a user means: users name tables by text, since a name of type regclass would be looked up
-- in the caller's search_path, and tell which tables there are. Which are attached is not said to them.
create or replace function arcano.named_table(p_table text)
returns regclass
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_tables constant regclass[] := arcano.tables_called(p_table);
begin
  if cardinality(v_tables) > 1 then
    raise exception 'there is more than one table %', p_table
      using errcode = 'invalid_parameter_value', hint = 'Name the table with its schema.';
  elsif v_tables is null then
    raise exception '% is not attached', coalesce(quote_literal(p_table), 'null')
      using errcode = 'undefined_object', hint = 'Name an attached table with its schema.';
  end if;
  return v_tables[1];
end
$$;

comment on function arcano.named_table(text) is
  'Internal: the attached table p_table, with its schema or without; raises if there is none or more than one.';

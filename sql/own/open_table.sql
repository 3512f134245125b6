-- The table in which a user may make a job: attached, and opened to users by its user_columns. Whether one that cannot be
-- had is closed, is not attached or is not there at all is not said.
create or replace function arcano.open_table(p_table text)
returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A table that is closed is not there, and so no other one of its name is less clear for it.
  v_tables constant regclass[] := array(
    select t.job_table
      from arcano.job_table t
     where t.job_table = any (arcano.tables_called(p_table)) and t.user_columns is not null
  );
begin
  if cardinality(v_tables) = 1 then
    return arcano.table_name(v_tables[1]);
  end if;
  raise exception 'there is no table % in which users may make jobs', coalesce(quote_literal(p_table), 'null')
    using errcode = 'undefined_object',
      hint = 'Name it with its schema. An operator opens an attached table to users: arcano-db configure TABLE user_columns=';
end
$$;

comment on function arcano.open_table(text) is
  'The name, with its schema, of the attached table p_table (with its schema or without), if users may make jobs in it: its user_columns are not null; else raises 42704, and does not say why. For a backend that passes on to create_job what its user named.';

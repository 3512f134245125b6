-- Whether a mapped table still is what it was when the statement was made that asks this. It is no constant, but declared as one: so
-- PostgreSQL asks when it plans the statement, and not for each row or call, and it plans anew when the table is altered, renamed or
-- given away. What a name would mean then, no one has looked at.
create or replace function arcano.is_as_mapped(p_name text, p_columns text[], p_shape text)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if arcano.shape_of(p_name, p_columns) is distinct from p_shape then
    raise exception '% has changed since it was last read anew', p_name
      using errcode = 'AR003', hint = format('The next sweep does that, or: select * from arcano.%I();', 'remap_tables');
  end if;
  return true;
end
$$;

comment on function arcano.is_as_mapped(text, text[], text) is
  'Internal: true, or it raises (AR003), if the table p_name and its p_columns are not p_shape any more.';

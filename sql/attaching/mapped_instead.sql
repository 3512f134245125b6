-- A table that cannot be attached as it is may be mapped as it is; but not where rights are what is wrong.
create or replace function arcano.mapped_instead(p_table regclass)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case when not arcano.is_mapped(p_table) and not exists (select from arcano.attach_problems(p_table) a where a.errcode = '42501')
    then arcano.guessed_mapping_call(p_table) end;
end
$$;

comment on function arcano.mapped_instead(regclass) is
  'Internal: the call that probably maps p_table, which cannot be attached; null: it cannot be mapped either.';

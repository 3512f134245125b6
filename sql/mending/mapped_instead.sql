-- A table that cannot be attached as it is may be mapped as it is; but not where rights are what is wrong, or the types of its ids.
create or replace function arcano.mapped_instead(p_table regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when g.is_whole then concat_ws(e'\n', g.index, g.call)
           when g.call is not null then format('arcano-db map %s --check -- at a terminal it asks for what nobody can guess', p_table)
         end
    from arcano.guessed_mapping_call(p_table) g
   where not arcano.is_mapped(p_table) and not exists (select from arcano.attach_problems(p_table) a where a.errcode = '42501')
$$;

comment on function arcano.mapped_instead(regclass) is
  'Internal: the call that probably maps p_table, which cannot be attached; null: it cannot be mapped either.';

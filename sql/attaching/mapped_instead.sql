-- A table that cannot be attached as it is may be mapped as it is.
create or replace function arcano.mapped_instead(p_table regclass, p_mends text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_call constant text := case when not arcano.is_mapped(p_table) then arcano.guessed_mapping_call(p_table) end;
begin
  return case when strpos(p_mends, v_call) = 0 then '-- Or map it, and alter nothing of it: ' || v_call end;
end
$$;

comment on function arcano.mapped_instead(regclass, text) is
  'Internal: how p_table can be mapped, as a comment beside p_mends, the statements that would make it one that can be attached; null: it cannot, or they say it.';

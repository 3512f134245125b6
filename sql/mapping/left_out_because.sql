-- Why a mapped table is left out; null: it is read. Of what is not trusted nothing is planned: that can run code already.
create or replace function arcano.left_out_because(p_mapping arcano.mapping)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(arcano.mapping_distrust(p_mapping), arcano.mapping_problem(p_mapping));
end
$$;

comment on function arcano.left_out_because(arcano.mapping) is
  'Internal: why the table of p_mapping is not to be trusted, or cannot be read as it says; null: neither.';

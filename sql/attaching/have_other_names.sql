-- Whether the name of an attached table means another table by now, or none. Cheap, to be asked often.
create or replace function arcano.have_other_names()
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (select from arcano.job_table t where t.name is not null and arcano.relation_of(t.name) is distinct from t.job_table::oid);
end
$$;

comment on function arcano.have_other_names() is
  'Internal: whether an attached table was renamed, moved, dropped, or swapped for another one.';

-- Whether what it takes to block a user can be read of a mapped table that is left out: so its users stay blocked, as far as its
-- words are known. Planned, and not run.
create or replace function arcano.is_core_readable(p_mapping arcano.mapping)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not exists (
    select from pg_class c
     where c.oid = p_mapping.relid and c.relkind in ('r', 'p') and not c.relispartition and not row_security_active(c.oid)
       and not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'arcano.job'::regclass)
  ) or not arcano.has_core_columns(p_mapping) then
    return false;
  end if;
  return arcano.failure_of('explain ' || arcano.mapped_judgement(p_mapping, 'core'), 'user_id') is null;
end
$$;

comment on function arcano.is_core_readable(arcano.mapping) is
  'Internal: whether the open jobs of a user can be read of the table of p_mapping, whatever else cannot.';

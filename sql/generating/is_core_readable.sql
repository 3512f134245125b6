-- Whether what it takes to block a user can be read of a mapped table that is left out: so its users stay blocked, as far as its
-- words are known.
--
-- Dynamic, because its columns are not known before. Planned, and not run.
create or replace function arcano.is_core_readable(p_mapping arcano.mapping)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_user_id arcano.job.user_id%type;
begin
  if not exists (
    select from pg_class c
     where c.oid = p_mapping.relid and c.relkind in ('r', 'p') and not c.relispartition and not row_security_active(c.oid)
       and not exists (select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'arcano.job'::regclass)
  ) then
    return false;
  end if;
  if arcano.missing_column(p_mapping) ~ ' (id|user_id|status)$' then
    return false;
  end if;
  execute 'explain ' || arcano.mapped_judgement(p_mapping, 'core') using v_user_id;
  return true;
exception
  when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
    raise; -- see read_failures
  when others then
    return false;
end
$$;

comment on function arcano.is_core_readable(arcano.mapping) is
  'Internal: whether the open jobs of a user can be read of the table of p_mapping, whatever else cannot.';

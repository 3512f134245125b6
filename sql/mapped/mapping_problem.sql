-- Why a mapped table cannot be read as it is mapped; null: it can. All that will be read of it is planned, and nothing is run.
create or replace function arcano.mapping_problem(p_mapping arcano.mapping)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_relid constant oid := arcano.relation_of(p_mapping.name);
  v_kind constant text := (select c.relkind from pg_class c where c.oid = v_relid and not c.relispartition and c.relpersistence <> 't');
begin
  if v_relid is null then
    return 'there is no such table any more';
  end if;
  if (v_kind in ('r', 'p')) is not true then
    return 'it is no table of its own: a view, a partition, a foreign or a temporary table';
  end if;
  if exists (select from pg_inherits i where i.inhrelid = v_relid and i.inhparent = 'arcano.job'::regclass) then
    return 'it is attached: its jobs would count twice';
  end if;
  return coalesce(
    arcano.missing_column(p_mapping),
    arcano.failure_of('explain ' || arcano.mapped_judgement(p_mapping, 'user'), 'user_id'),
    arcano.failure_of('explain ' || arcano.mapped_judgement(p_mapping, 'open')),
    arcano.failure_of('explain ' || arcano.mapped_judgement(p_mapping, 'id'), 'id'));
end
$$;

comment on function arcano.mapping_problem(arcano.mapping) is
  'Internal: why the table of p_mapping cannot be read as it says; null: it can.';

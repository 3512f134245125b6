-- What can be planned may still fail for one row, by an expression: then all open jobs of its table are read by no sweep.
--
-- Dynamic, because the table's own columns are read.
create or replace function arcano.mapping_unread_rows(p_mapping arcano.mapping)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
begin
  execute format('select count(o.*) from (%s) o', arcano.mapped_judgement(p_mapping, 'open'));
  return null;
exception
  when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
    raise; -- see read_failures
  when others then
    return sqlstate || ': ' || sqlerrm;
end
$$;

comment on function arcano.mapping_unread_rows(arcano.mapping) is
  'Internal: why an open job of the table of p_mapping cannot be read as it says; null: each can.';

-- Whether ids of a table are those of jobs in another one already.
--
-- Dynamic, because a table that is not attached is no child of arcano.job yet.
create or replace function arcano.shared_ids(p_table regclass, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids bigint;
  v_other regclass;
begin
  execute format(
    'select count(*), min(j.tableoid) from only %s t join arcano.job j on j.id = t.id and j.tableoid <> $1', p_table)
    into v_ids, v_other using p_table;
  if v_ids > 0 then
    detail := format('%s ids of %s are also those of jobs in %s or other tables', v_ids, p_table, v_other);
    hint := 'An id means something only with its table: give p_table with every call that takes a job''s id.';
    return next;
  end if;
end
$$;

comment on function arcano.shared_ids(regclass) is
  'Internal: how many jobs of p_table have the id of a job in another attached table (detail), and what follows (hint); no row: none. Reads all of p_table.';

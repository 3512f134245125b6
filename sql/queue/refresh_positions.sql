-- Writes the place of every job of the queue to its row, where the row says another one. A row that
-- somebody holds is left for the next time.
create or replace function arcano.refresh_positions()
returns integer
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed integer;
begin
  with line as (
    select j.tableoid as relid, j.id, j."position", row_number() over (order by j.created_at, j.id) as place
      from arcano.job j
     where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
  ), moved as materialized (
    select j.tableoid as relid, j.id, l.place
      from line l
      join arcano.job j on j.id = l.id and j.tableoid = l.relid and case when arcano.is_waiting(j.status) then true end
     where l."position" is distinct from l.place
       for no key update of j skip locked
  )
  update arcano.job j
     set "position" = m.place
    from moved m
   where j.id = m.id and j.tableoid = m.relid;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;

comment on function arcano.refresh_positions() is
  'Internal: sets position of the jobs in the queue to their place, and answers how many had another.';

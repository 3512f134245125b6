-- Writes the places of jobs of the queue to their rows, where the rows say another one: of at most 500, those first that
-- are wrong by the largest part of their place, which are mostly those at the head. A long queue is right by and by, and
-- near enough meanwhile.
--
-- So few, because a claim passes over the rows that are being written until the sweep is over. A row that somebody holds
-- is left for the next time.
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
  ), wrong as (
    select l.relid, l.id, l.place
      from line l
     where l."position" is distinct from l.place
     order by abs(coalesce(l."position", 0) - l.place)::double precision / l.place desc, l.place
     limit 500
  ), moved as materialized (
    select j.tableoid as relid, j.id, w.place
      from wrong w
      join arcano.job j on j.id = w.id and j.tableoid = w.relid and case when arcano.is_waiting(j.status) then true end
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
  'Internal: sets position of at most 500 jobs in the queue to their place, and answers how many had another.';

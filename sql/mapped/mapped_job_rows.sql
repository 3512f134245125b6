-- What job_rows answers of mapped tables. One that has changed since it was last read anew waits until that is done.
--
-- Dynamic, because their columns are not known before.
create or replace function arcano.mapped_job_rows(p_jobs arcano.job_ref[], p_lock boolean)
returns table (job arcano.job_snapshot, tid tid, rel oid)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- As job_rows: a caller's settings must not change a letter of what the journal keeps.
set datestyle = iso
set intervalstyle = iso_8601
set extra_float_digits = 1
set timezone = 'UTC'
set bytea_output = hex
set lc_monetary = 'C'
set quote_all_identifiers = off
set row_security = off
as $$
declare
  v_table record;
begin
  for v_table in
    select m::arcano.mapping as mapping, array_agg(r.id::text) as ids
      from unnest(p_jobs) r
      join arcano.mapping m on m.relid = r.relid and arcano.shape_of(m.name, m.uses) = m.shape -- null: it is gone
     group by m.*
  loop
    begin
      return query execute arcano.mapped_snapshots(v_table.mapping, p_lock) using v_table.ids;
    exception
      when data_exception or program_limit_exceeded then -- such as "\u0000" in a json column
        return query execute arcano.mapped_snapshots(v_table.mapping, p_lock, true) using v_table.ids;
    end;
  end loop;
end
$$;

comment on function arcano.mapped_job_rows(arcano.job_ref[], boolean) is
  'Internal: as job_rows, of those of p_jobs that are of mapped tables.';

-- Rows of mapped tables as the journal keeps them, without waiting for those that somebody holds.
--
-- Dynamic, because their columns are not known before.
create or replace function arcano.mapped_job_rows(p_jobs arcano.job_ref[])
returns table (job arcano.job_snapshot, tid tid)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_table record;
  v_rels oid[];
  v_tids tid[];
  v_jobs arcano.job_snapshot[];
begin
  for v_table in
    select m::arcano.mapping as mapping, array_agg(r.id::text) as ids
      from unnest(p_jobs) r join arcano.mapping m on m.relid = r.relid
     group by m.*
  loop
    execute arcano.mapped_snapshots(v_table.mapping, false) into v_rels, v_tids, v_jobs using v_table.ids;
    return query select (u.relid, u.id, u.user_id, u.job)::arcano.job_snapshot, u.tid from unnest(v_jobs, v_tids) u (relid, id, user_id, job, tid);
  end loop;
end
$$;

comment on function arcano.mapped_job_rows(arcano.job_ref[]) is
  'Internal: the rows of those of p_jobs that are of mapped tables, as the journal keeps them.';

-- The refunds of one row of a job. An older row that had its id may have been refunded too: that was another charge, and
-- the row had another created_at.
create or replace function arcano.job_refunds(p_job arcano.job_ref, p_created_at timestamptz)
returns setof arcano.refund
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  select f.*
    from arcano.refund f
   where f.job_id = p_job.id
     and f.job_table = p_job.relid
     and f.job_created_at is not distinct from p_created_at;
end;

comment on function arcano.job_refunds(arcano.job_ref, timestamptz) is
  'Internal: the refunds, due or paid, of the row of p_job that was made at p_created_at.';

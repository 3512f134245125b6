-- The one way to say that an id is not enough.
create or replace function arcano.refuse_ambiguous(p_job_id arcano.job.id%type, p_relids oid[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'more than one table has a job with the id %', p_job_id
    using errcode = 'cardinality_violation',
      detail = (select string_agg(arcano.table_name(r), ', ' order by arcano.table_name(r)) from unnest(p_relids) r),
      hint = 'Name the table of the job: p_table, or p_tables with one for each job.';
end
$$;

comment on function arcano.refuse_ambiguous(arcano.job.id%type, oid[]) is
  'Internal: raises that each of the tables p_relids has a job p_job_id.';

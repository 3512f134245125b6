-- The one way to say that an id is not enough; nor is it with its table, where a mapped one lets two rows have it.
create or replace function arcano.refuse_ambiguous(p_job_id arcano.job.id%type, p_relids oid[])
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if (select count(distinct r) from unnest(p_relids) r) = 1 then
    raise exception 'more than one job of % has the id %', arcano.table_name(p_relids[1]), p_job_id
      using errcode = 'cardinality_violation', detail = 'Its ids are not unique.',
        hint = 'Nobody can say which is meant: let a unique index keep them so, of each partition at least.';
  end if;
  raise exception 'more than one table has a job with the id %', p_job_id
    using errcode = 'cardinality_violation',
      detail = (select string_agg(arcano.table_name(r), ', ' order by arcano.table_name(r)) from unnest(p_relids) r),
      hint = 'Name the table of the job: p_table, or p_tables with one for each job.';
end
$$;

comment on function arcano.refuse_ambiguous(arcano.job.id%type, oid[]) is
  'Internal: raises that each of the tables p_relids has a job p_job_id, or that the one table has several.';

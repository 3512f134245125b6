-- A row of a mapped table as if it were of the contract.
--
-- Dynamic, because its columns are not known before.
create or replace function arcano.mapped_row(p_job arcano.job_ref)
returns arcano.job
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  m arcano.mapping;
  v_row arcano.job;
begin
  select x.* into m from arcano.mapping x where x.relid = p_job.relid;
  if found then
    execute format('select %s from (%s) r', (
      select string_agg(format('r.%I', k.attname), ', ' order by k.attnum)
        from pg_attribute k where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped),
      arcano.mapped_rows(m, 'id'))
      into v_row using p_job.id;
  end if;
  return v_row;
end
$$;

comment on function arcano.mapped_row(arcano.job_ref) is
  'Internal: the row of p_job of a mapped table, with the contract''s columns; all null: it is not there.';

-- Where an id alone does not say which job is meant.
create or replace function arcano.id_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select 'note', 'ids', i.detail, i.hint
      from arcano.job_table t
     cross join lateral arcano.separate_sequences(t.job_table) i
     where not arcano.is_mapped(t.job_table)
       and t.job_table <> (select f.job_table from arcano.job_table f where not arcano.is_mapped(f.job_table) order by f.attached_at, f.job_table limit 1);

  return query
    select 'note', 'ids', format('%s open jobs of %s have the id of a job in another table, such as %s', count(*), o.job_table, min(o.job_id::text)),
           'An id means something only with its table: give p_table with every call that takes a job''s id.'
      from arcano.open_job o
     where exists (select from arcano.job j where j.id = o.job_id and j.tableoid <> o.relid)
     group by o.job_table;
end
$$;

comment on function arcano.id_health() is
  'Internal: what check_health finds of ids that more than one table has, or will have.';

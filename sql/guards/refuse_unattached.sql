-- The one way to say that a table is not attached.
create or replace function arcano.refuse_unattached(p_table regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% is not attached', coalesce(p_table::text, 'null')
    using errcode = 'undefined_object',
      detail = coalesce(
        (select 'Attached: ' || string_agg(s.job_table::text, ', ' order by s.job_table::text) from arcano.job_table s),
        'No table is attached.'),
      hint = 'Name an attached table with its schema.';
end
$$;

comment on function arcano.refuse_unattached(regclass) is
  'Internal: raises that p_table is not attached, and which are.';

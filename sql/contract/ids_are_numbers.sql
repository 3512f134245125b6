-- Numbers come from a sequence, and each table may have its own: two tables may have the same id, and whoever knows one
-- can guess the next.
create or replace function arcano.ids_are_numbers()
returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id arcano.job.id%type;
begin
  return pg_typeof(v_id) in ('bigint'::regtype, 'integer'::regtype);
end
$$;

comment on function arcano.ids_are_numbers() is
  'Internal: whether the ids of jobs are numbers, as was chosen when installing.';

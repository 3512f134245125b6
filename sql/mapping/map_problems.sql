-- A test before mapping: what is wrong, and what it would mean. Changes nothing.
create or replace function arcano.map_problems(
  p_table text,
  p_columns jsonb default '{}',
  p_statuses jsonb default '{}',
  p_writes jsonb default '{}',
  p_time_zone text default null,
  p_force boolean default false
)
returns table (level text, finding text, detail text, hint text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select f.* from arcano.mapping_findings(arcano.mapping_of(p_table, p_columns, p_statuses, p_writes, p_time_zone), p_force) f;
end
$$;

comment on function arcano.map_problems(text, jsonb, jsonb, jsonb, text, boolean) is
  'What mapping p_table would mean, a row a finding: level (error: map_job_table refuses it; warning, note, ok), finding, detail, and hint (what to do). Arguments as for map_job_table. Changes nothing: where it tries to end a job, that is rolled back.';

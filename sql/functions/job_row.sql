-- The whole row of a job as jsonb, with the columns that only its own table has: those are what this
-- package cannot know beforehand, and why this is dynamic. Where the table's own row cannot be read
-- (somebody else's table, or row level security forced on its owner), the contract's columns.
create or replace function arcano.job_row(p_relid oid, p_job_id arcano.job.id%type)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
-- A caller's settings must not change what the journal keeps, nor whether it can be read back.
set datestyle = iso
set intervalstyle = iso_8601
set extra_float_digits = 1
as $$
declare
  v_row jsonb;
begin
  begin
    execute format('select to_jsonb(t) from only %s t where t.id = $1', p_relid::regclass)
      into v_row using p_job_id;
  exception
    when insufficient_privilege then null;
  end;
  if v_row is null then
    select to_jsonb(j) into v_row from arcano.job j where j.id = p_job_id and j.tableoid = p_relid;
  end if;
  return v_row;
end
$$;

comment on function arcano.job_row(oid, arcano.job.id%type) is
  'The row of job p_job_id of table p_relid with all columns of that table, or null.';

-- Makes a table a job table, in one transaction, and says which statements that took. Called
-- again, it sets what is given and keeps every other setting. The table is locked until the transaction ends: for
-- a live one use arcano-db attach, or run what attach_steps answers.
create or replace function arcano.attach_job_table(
  p_table regclass,
  p_tool text default null,
  p_orphan_after interval default null,
  p_stall_after interval default null
)
returns table (statement text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ids record;
begin
  -- Two at once: the second waits here, and finds nothing to do.
  lock table arcano.job_table in share row exclusive mode;

  for statement in
    select p.statement from arcano.attach_steps(p_table, p_tool, p_orphan_after, p_stall_after, p_concurrently => false) p
  loop
    execute statement;
    return next;
  end loop;

  select s.* into v_ids from arcano.separate_sequences(p_table) s;
  if v_ids.detail is not null then
    raise warning 'arcano: %', v_ids.detail using hint = v_ids.hint;
  end if;
end
$$;

comment on function arcano.attach_job_table(regclass, text, interval, interval) is
  'Attaches p_table: adds the contract columns and partial indexes that it lacks and makes it inherit arcano.job; answers the statements it ran. p_tool: the name people read, at first the table''s. p_orphan_after: how long a job without a sign of life is left alone, at first 5 minutes; under 2 minutes is refused. p_stall_after: how long a job that is worked on may be without a sign of life before the sweep ends it as failed, at first for ever. Null: as it is set. set_job_table sets what else there is, and clears. Errors name what is wrong with the table (detail) and the statements that would mend it (hint).';

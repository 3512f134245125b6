-- A test before mapping: what is wrong, and what the rule would do to the rows. Changes nothing. Reads all of the table.
create or replace function arcano.map_problems(
  p_table text,
  p_columns jsonb default '{}',
  p_statuses jsonb default '{}',
  p_writes jsonb default '{}',
  p_time_zone text default null,
  p_orphan_after interval default null,
  p_force boolean default false
)
returns table (level text, finding text, detail text, hint text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_alone constant boolean := arcano.is_alone();
  m constant arcano.mapping := arcano.mapping_of(p_table, p_columns, p_statuses, p_writes, p_time_zone);
  v_settings constant arcano.job_table := arcano.table_settings(m.relid);
  v_orphan_after constant interval := coalesce(p_orphan_after, v_settings.orphan_after);
  v_rows text;
  v_tried jsonb;
begin
  for level, finding, detail, hint in select f.* from arcano.mapping_findings(m, p_force) f loop
    return next;
    if level = 'error' then
      v_rows := 'none';
    end if;
  end loop;
  if v_rows is not null then
    return;
  end if;
  v_rows := arcano.mapped_rows(m, 'all');
  return query
    select 'note', 'words that the package writes', string_agg(distinct w.value, ', '), 'Your models have to know them: what lists the words of a column must have them all.'
      from jsonb_each_text(m.writes) w;
  return query
    select o.*
      from arcano.job_counts(v_rows, v_orphan_after, v_settings.touch_limit) c
     cross join lateral arcano.orphan_findings(m.relid, c.jobs, c.orphans, c.orphan_users, c.oldest, c.charged) o
     where c.is_total;
  -- As the mapping would have it, which is undone.
  begin
    perform from arcano.map_job_table(p_table, null, p_columns, p_statuses, p_writes, p_time_zone, p_orphan_after, null, true);
    v_tried := (select jsonb_agg(to_jsonb(w)) from arcano.write_findings(m.relid, v_alone) w);
    raise exception 'rolled back' using errcode = 'AR001';
  exception
    when sqlstate 'AR001' then
      return query select w.level, w.finding, w.detail, w.hint from jsonb_to_recordset(v_tried) w (level text, finding text, detail text, hint text);
  end;
  return query select g.* from arcano.grace_findings(v_rows, v_orphan_after) g;
end
$$;

comment on function arcano.map_problems(text, jsonb, jsonb, jsonb, text, interval, boolean) is
  'What mapping p_table would mean, a row a finding: level (error: map_job_table refuses it; warning, note, ok), finding, detail, and hint (what to do). Arguments as for map_job_table. Reads all of the table. Changes nothing: where it tries to end a job, that is rolled back.';

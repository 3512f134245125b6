-- Whether the rule would wait as long as real jobs of a table took to start.
create or replace function arcano.grace_findings(
  p_rows text,
  p_orphan_after interval,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_grace record;
begin
  v_grace := arcano.grace_of_rows(p_rows, p_orphan_after);
  finding := 'how long real jobs took to start';
  if v_grace.jobs = 0 then
    level := 'note';
    detail := 'its history does not say: no job has started_at, or all were in the line';
  else
    level := case when v_grace.is_enough then 'ok' else 'warning' end;
    detail := format('of %s jobs, half took at most %s, 99%% %s, 99.9%% %s, the longest %s; orphan_after is %s', v_grace.jobs,
      v_grace.median, v_grace.percentile_99, v_grace.percentile_999, v_grace.longest, p_orphan_after);
    if not v_grace.is_enough then
      hint := format('Three times the 99.9th percentile leaves real jobs alone: --orphan-after ''%s''', v_grace.advised);
    end if;
  end if;
  return next;
end
$$;

comment on function arcano.grace_findings(text, interval) is
  'Internal: what the grace advisor says of the rows that the statement p_rows reads, where the rule waits p_orphan_after.';

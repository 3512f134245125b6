-- Whose clock wrote created_at, on which all that the rule says depends.
create or replace function arcano.clock_findings(
  p_table regclass,
  p_jobs bigint,
  p_future bigint,
  p_dateless bigint,
  p_dated bigint,
  p_coarse bigint,
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
  v_mend constant text := format('alter table %s alter column created_at set default now();', p_table);
  v_zone constant text := (select p.reset_val from pg_settings p where p.name = 'TimeZone');
begin
  level := 'warning';
  finding := 'created_at written by clients';
  if p_future > 0 then
    detail := format('%s jobs are from the future, and orphans only that much later', p_future);
    hint := v_mend || ' -- and let the app leave it to that';
    return next;
  elsif p_dated >= 20 and p_coarse > p_dated * 0.9 then
    detail := format('%s of %s have whole milliseconds, as the clocks of browsers and servers do; the database''s own has microseconds',
      p_coarse, p_dated);
    hint := v_mend || ' -- and let the app leave it to that: a client''s clock that is slow makes real jobs old'
      || case when v_zone not in ('UTC', 'Etc/UTC', 'GMT') then format(', and what it writes without a zone is read as %s', v_zone) else '' end;
    return next;
  end if;
  if p_dateless > 0 then
    finding := 'jobs without created_at';
    detail := format('%s of %s jobs have none, and are never orphans', p_dateless, p_jobs);
    hint := v_mend;
    return next;
  end if;
end
$$;

comment on function arcano.clock_findings(regclass, bigint, bigint, bigint, bigint, bigint) is
  'Internal: what is wrong with created_at of p_table, of whose p_jobs jobs so many are from the future, have no date, have one, and have one in whole milliseconds.';

-- How many jobs of a table the rule would end at once, and how many only a charge keeps from that.
create or replace function arcano.orphan_findings(
  p_table regclass,
  p_jobs bigint,
  p_orphans bigint,
  p_orphan_users bigint,
  p_oldest timestamptz,
  p_charged bigint,
  out level text,
  out finding text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  finding := 'jobs that would be ended';
  if p_orphans = 0 then
    level := 'ok';
    detail := format('none of %s jobs is an orphan now', p_jobs);
  else
    level := 'warning';
    detail := format('%s of %s jobs, of %s users, are orphans now, the oldest from %s', p_orphans, p_jobs, p_orphan_users, p_oldest);
    hint := format('The check and the sweep cancel such jobs. To watch that for a while, and change nothing: arcano-db attach %s --observe (or map, which observes at first)', p_table);
  end if;
  return next;
  if p_charged > 0 then
    level := 'note';
    finding := 'charged jobs that look forgotten';
    detail := format('%s jobs would be orphans, had they not been charged', p_charged);
    hint := 'They block their users. Once the table is attached, arcano.charged_orphan lists them, and its charged_orphan_after ends and refunds them.';
    return next;
  end if;
end
$$;

comment on function arcano.orphan_findings(regclass, bigint, bigint, bigint, timestamptz, bigint) is
  'Internal: what job_counts counted of orphans and charged orphans of p_table, as findings.';

-- How many jobs of a table there are, of each status and in all (status null, is_total), and what is to be said of
-- them before it is put under the rule. Reads all of it, once.
--
-- Dynamic, because which of the contract's columns there are, and under which names, is not known before.
create or replace function arcano.job_counts(p_rows text, p_orphan_after interval, p_touch_limit interval)
returns table (
  is_total boolean,
  status text,
  jobs bigint,
  orphans bigint,
  orphan_users bigint,
  oldest timestamptz,
  charged bigint,
  future bigint,
  dateless bigint,
  dated bigint,
  coarse bigint,
  example text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format($query$
    select grouping(j.status) = 1, j.status, count(*),
           count(*) filter (where r.heals_at < now()),
           count(distinct j.user_id) filter (where r.heals_at < now()),
           min(j.created_at) filter (where r.heals_at < now()),
           count(*) filter (where r.heals_at is null and c.heals_at < now()),
           count(*) filter (where j.created_at > now() + interval '1 minute'),
           count(*) filter (where j.created_at is null),
           count(*) filter (where isfinite(j.created_at)),
           count(*) filter (where isfinite(j.created_at)
             and extract(microseconds from j.created_at)::bigint %% 1000 = 0),
           min(j.id::text) filter (where arcano.is_waiting(j.status))
      from (%s) j
     cross join lateral (
       select arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, j.user_credit_cost,
         j.credits_charged, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, $1, $2)
     ) r (heals_at)
     cross join lateral (
       select arcano.heals_at(j.status, j.task_id, j."position", j.waited_in_queue, 0,
         false, j.created_at, j.started_at, j.heartbeat_at, j.orphan_exempt, $1, $2)
     ) c (heals_at)
     group by grouping sets ((j.status), ())
     order by 1, 3 desc, 2
    $query$, p_rows)
    using p_orphan_after, p_touch_limit;
end
$$;

comment on function arcano.job_counts(text, interval, interval) is
  'Internal: what is counted of the rows that the statement p_rows reads, as rows_to_check does: a row for each status and one for all. charged: jobs that would be orphans but for their charge; future, dateless: whose created_at is in the future or null; dated, coarse: whose created_at is a date, and one in whole milliseconds; example: the id of one that waits.';

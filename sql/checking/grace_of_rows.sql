-- The grace advisor: how long real jobs of a table took to show their first sign of life, from its own history,
-- and what orphan_after should be at least: three times what all but one in a thousand took. Jobs that waited
-- in the queue are left out, because when they entered it is not known.
--
-- Dynamic, because which of the contract's columns there are, and under which names, is not known before.
create or replace function arcano.grace_of_rows(
  p_rows text,
  p_orphan_after interval,
  out jobs bigint,
  out median interval,
  out percentile_99 interval,
  out percentile_999 interval,
  out longest interval,
  out orphan_after interval,
  out advised interval,
  out is_enough boolean
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_took interval[];
begin
  execute format(
    'select count(*), percentile_disc(array[0.5, 0.99, 0.999, 1]) within group (order by j.started_at - j.created_at)
       from (%s) j
      where j.started_at >= j.created_at and not arcano.entered_queue(j."position", j.waited_in_queue)
        and isfinite(j.created_at) and isfinite(j.started_at)', p_rows)
    into jobs, v_took;
  median := v_took[1];
  percentile_99 := v_took[2];
  percentile_999 := v_took[3];
  longest := v_took[4];
  orphan_after := p_orphan_after;
  advised := arcano.advised_grace(percentile_999);
  is_enough := jobs = 0 or orphan_after >= 3 * percentile_999;
end
$$;

comment on function arcano.grace_of_rows(text, interval) is
  'Internal: what grace_advice answers, of the rows that the statement p_rows reads, as rows_to_check does.';

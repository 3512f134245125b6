-- The grace advisor: how long real jobs of a table took to show their first sign of life, from its own history,
-- and what orphan_after should be at least: three times what all but one in a thousand took. Jobs that waited
-- in the queue are left out, because when they entered it is not known. The table need not be attached.
create or replace function arcano.grace_advice(
  p_table regclass,
  p_orphan_after interval default null,
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
  perform from pg_class c where c.oid = p_table;
  if not found then
    raise exception 'there is no table %', coalesce(p_table::text, 'null')
      using errcode = 'undefined_table', hint = 'Name the table with its schema, such as public.upscaler_jobs.';
  end if;
  execute format(
    'select count(*), percentile_disc(array[0.5, 0.99, 0.999, 1]) within group (order by j.started_at - j.created_at)
       from (select %s from only %s) j
      where j.started_at >= j.created_at and not arcano.entered_queue(j."position", j.waited_in_queue)
        and isfinite(j.created_at) and isfinite(j.started_at)', arcano.contract_columns(p_table), p_table)
    into jobs, v_took;
  median := v_took[1];
  percentile_99 := v_took[2];
  percentile_999 := v_took[3];
  longest := v_took[4];
  orphan_after := coalesce(p_orphan_after, (arcano.table_settings(p_table)).orphan_after);
  advised := greatest('2 minutes', date_trunc('second', 3 * percentile_999) + interval '1 second');
  is_enough := jobs = 0 or orphan_after >= 3 * percentile_999;
end
$$;

comment on function arcano.grace_advice(regclass, interval) is
  'How long jobs of p_table took from created_at to started_at (jobs: how many of them there are; the longest, and what half, 99 % and 99.9 % of them took at most); advised: the least orphan_after that leaves them alone, three times the 99.9th percentile and 2 minutes at least; is_enough: whether orphan_after (p_orphan_after, or the table''s own) is as long as that. Reads the whole table.';

-- What the grace advisor says of a table, which need not be attached; a mapped one is read by its mapping.
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
begin
  perform from pg_class c where c.oid = p_table;
  if not found then
    raise exception 'there is no table %', coalesce(p_table::text, 'null')
      using errcode = 'undefined_table', hint = 'Name the table with its schema, such as public.upscaler_jobs.';
  end if;
  select g.* into jobs, median, percentile_99, percentile_999, longest, orphan_after, advised, is_enough
    from arcano.grace_of_rows(arcano.rows_to_check(p_table), coalesce(p_orphan_after, (arcano.table_settings(p_table)).orphan_after)) g;
end
$$;

comment on function arcano.grace_advice(regclass, interval) is
  'How long jobs of p_table took from created_at to started_at (jobs: how many of them there are; the longest, and what half, 99 % and 99.9 % of them took at most); advised: the least orphan_after that leaves them alone, three times the 99.9th percentile and 2 minutes at least; is_enough: whether orphan_after (p_orphan_after, or the table''s own) is as long as that. Reads the whole table.';

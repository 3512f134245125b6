-- The partial indexes of an attached table: no other place says which there are. Their condition on
-- the queue must be what the function entered_queue becomes in a plan.
create or replace function arcano.job_indexes(
  p_table regclass,
  out index_name text,
  out definition text
)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select arcano.derived_name(c.relname, d.suffix),
         format('on %s %s where status = any (%L::text[])%s', c.oid::regclass, d.key, d.statuses, d.further)
    from pg_class c
    cross join (
      values
        -- the active jobs of a user: check_user_active, cancel_session
        ('_arcano_active', '(user_id)', arcano.waiting_statuses() || arcano.working_statuses(), ''),
        -- the queue in its order: claim_jobs, queue_position
        ('_arcano_queue', '(created_at, id)', arcano.waiting_statuses(),
          ' and (waited_in_queue is true or coalesce("position", 0) > 0)'),
        -- what waits outside of the queue, by age: sweep_orphans
        ('_arcano_outside', '(created_at)', arcano.waiting_statuses(),
          ' and not (waited_in_queue is true or coalesce("position", 0) > 0)'),
        -- the jobs that are worked on: slots, stalls, and finding many by id to end them. No "include", which
        -- not every ORM can declare
        ('_arcano_working', '(id, api_account)', arcano.working_statuses(), '')
    ) d (suffix, key, statuses, further)
   where c.oid = p_table
$$;

comment on function arcano.job_indexes(regclass) is
  'Internal: the names and definitions of the partial indexes that attaching gives to p_table.';

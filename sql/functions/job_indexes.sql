-- The partial indexes of an attached table: the only place that says which there are.
create or replace function arcano.job_indexes(
  p_table regclass,
  out index_name text,
  out definition text
)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when octet_length(c.relname || d.suffix) < 64 then c.relname || d.suffix
           else left(c.relname, 20) || '_' || left(md5(c.relname), 12) || d.suffix
         end,
         format('on %s (%I) where status = any (%L::text[])', c.oid::regclass, d.key, d.statuses)
    from pg_class c
    cross join (
      values
        -- the active jobs of a user: check_user_active, cancel_session by user
        ('_arcano_active', 'user_id', arcano.waiting_statuses() || arcano.working_statuses()),
        -- the waiting jobs by age: sweep_orphans, cancel_session by session
        ('_arcano_waiting', 'created_at', arcano.waiting_statuses())
    ) d (suffix, key, statuses)
   where c.oid = p_table
$$;

comment on function arcano.job_indexes(regclass) is
  'The names and definitions of the partial indexes that attaching gives to p_table.';

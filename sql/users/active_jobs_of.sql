-- What is in the way of each of many users, in one look, for who keeps many pages up to date. It heals nobody: of a user
-- who has orphans it says that, and check_user_active heals them.
--
-- Ids come as text, because a list of users has a type of its own in each database.
create or replace function arcano.active_jobs_of(p_user_ids text[])
returns table (
  user_id text,
  has_orphans boolean,
  active_tool text,
  active_table text,
  active_status text,
  active_job_id arcano.job.id%type,
  created_at timestamptz,
  started_at timestamptz,
  "position" integer,
  heals_at timestamptz,
  checked_at timestamptz,
  silent_since timestamptz
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  return query
    with active as materialized (
      select i.id as user_id, f.*
        from unnest(p_user_ids) i (id)
       cross join lateral jsonb_populate_record(null::arcano.job, jsonb_build_object('user_id', i.id)) u
       cross join lateral (
         select o.relid, o.tool, o.job_table, o.status, o.job_id, o.created_at, o.started_at, o.is_in_queue,
                case when count(*) over () = count(o.frees_at) over () then max(o.frees_at) over () end as heals_at,
                bool_or(o.is_orphan and o.is_enforced) over () as has_orphans, o.silent_since
           from (
             select j.relid, j.tool, j.job_table, j.status, j.job_id, j.created_at, j.started_at, j.is_in_queue, j.frees_at, j.is_orphan,
                    j.is_enforced, j.silent_since, j.is_waiting
               from arcano.open_job j
              where j.user_id = u.user_id
              union all
             select m.relid, m.tool, m.job_table, m.status, m.job_id, m.created_at, m.started_at, m.is_in_queue, m.frees_at, m.is_orphan,
                    m.is_enforced, m.silent_since, m.is_waiting
               from arcano.generated_jobs_of_user(u.user_id) m
           ) o
          order by o.is_waiting, o.created_at, o.job_id, o.relid
          limit 1
       ) f
    ), queue as (
      select j.tableoid as relid, j.id, row_number() over (order by j.created_at, j.id) as place
        from arcano.job j
       where arcano.is_in_queue(j.status, j."position", j.waited_in_queue)
         and exists (select from active a where a.is_in_queue)
    )
    select a.user_id, a.has_orphans, a.tool, a.job_table, a.status, a.job_id, a.created_at, a.started_at,
           q.place::integer, a.heals_at, clock_timestamp(), a.silent_since
      from active a
      left join queue q on q.id = a.job_id and q.relid = a.relid;
exception
  when data_exception then
    raise exception 'p_user_ids has what is no id of a user'
      using errcode = 'invalid_parameter_value', detail = sqlerrm, hint = 'Pass the ids as text.';
end
$$;

comment on function arcano.active_jobs_of(text[]) is
  'For each of the users p_user_ids who have an open job (user_id: the text that was given), the one that check_user_active would name, and its place in the queue, counted now; has_orphans: check_user_active would heal some of the user''s first. A user without an open job has no row. Changes nothing. An error: one that is no id of a user.';

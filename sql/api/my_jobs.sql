-- The newest jobs of the user who calls, as that user may see them: the contract's columns, without what is the
-- operator's own (task_id, api_account, orphan_exempt), and the columns that users may give.
create or replace function arcano_api.my_jobs(p_limit integer default 20)
returns table (
  job_table text,
  job_id arcano.job.id%type,
  session_id arcano.job.session_id%type,
  status arcano.job.status%type,
  "position" integer,
  waited_in_queue boolean,
  user_credit_cost integer,
  credits_charged boolean,
  credits_refunded boolean,
  created_at timestamptz,
  started_at timestamptz,
  completed_at timestamptz,
  heartbeat_at timestamptz,
  attempt integer,
  error_message text,
  data jsonb
)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant arcano.job.user_id%type := arcano.caller_id();
begin
  perform arcano.refuse_limit(p_limit, 1000);
  return query
    select arcano.table_name(n.relid), n.id, n.session_id, n.status, n."position", n.waited_in_queue,
           n.user_credit_cost, n.credits_charged, n.credits_refunded, n.created_at, n.started_at, n.completed_at,
           n.heartbeat_at, n.attempt, n.error_message, arcano.user_data((n.relid, n.id)::arcano.job_ref)
      from (
        (select j.tableoid as relid, j.*
           from arcano.job j
          where j.user_id = v_user_id
          order by j.created_at desc nulls last, j.id
          limit p_limit)
         union all
        select m.relid, (m.job).* from arcano.own_mapped_jobs(v_user_id, p_limit) m where (select arcano.generated_has_tables())
      ) n
     order by n.created_at desc nulls last, n.id
     limit p_limit;
end
$$;

comment on function arcano_api.my_jobs(integer) is
  'The p_limit (1 to 1000) newest jobs of the user who calls, newest first. data: the columns in user_columns of the job''s table. Of a mapped table: what its mapping has, by the contract''s names and words; status null: a word that it does not know. Quick where each table has an index that begins with user_id.';

-- The job tables that are measured: as an app has them, with an index of its own and two columns of its own.
create schema arcano_bench_jobs;

do $$
begin
  for n in 1..{tables} loop
    execute format($table$
      create table arcano_bench_jobs.jobs_%1$s (
        id uuid primary key default gen_random_uuid(),
        user_id uuid not null,
        session_id text,
        status text not null default 'queued',
        task_id text,
        "position" integer,
        waited_in_queue boolean not null default false,
        user_credit_cost integer not null default 0,
        input_url text,
        scale integer not null default 2,
        created_at timestamptz not null default now(),
        started_at timestamptz,
        completed_at timestamptz,
        error_message text
      )
    $table$, n);
  end loop;
end
$$;

-- The naive way of the story, for as many tables: one query a table, planned at each call.
create function arcano_bench.check_by_execute(p_user_id uuid, p_tables regclass[])
returns boolean
language plpgsql
as $$
declare
  v_table regclass;
  v_found boolean;
begin
  foreach v_table in array p_tables loop
    execute format('select exists (select from %s j where j.user_id = $1 and j.status = any ($2))', v_table)
      into v_found using p_user_id, arcano_bench.waiting_statuses() || arcano_bench.working_statuses();
    if v_found then
      return true;
    end if;
  end loop;
  return false;
end
$$;

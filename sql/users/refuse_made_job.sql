-- Whether a job that was inserted, or brought back, is the one that was asked for, and the only one of its user. The app's
-- own triggers, defaults, rules and policies run in that statement, and may call create_job for the same user themselves,
-- before the row is there that would refuse them. Orphans that could not be ended count for nobody; and an app that inserts
-- jobs itself, in another transaction, has passed by admission.
create or replace function arcano.refuse_made_job(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_made_id arcano.job.id%type,
  p_made_user_id arcano.job.user_id%type
)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_problem text;
  v_hint text := format('Look at the triggers, rules and defaults of %s.', p_table);
begin
  if p_made_id is null then
    v_problem := 'The row was not inserted.';
  elsif p_made_user_id is distinct from p_user_id then
    v_problem := 'The job was given to another user.';
  elsif p_made_id <> p_job_id then
    v_problem := format('The job was given another id (%s), and so a repeat of the call would not know it.', p_made_id);
    v_hint := 'Leave p_job_id out, or let the table keep an id that is given.';
  elsif not exists (
    select from arcano.job j where j.id = p_made_id and j.tableoid = p_table and j.user_id is not distinct from p_user_id
     union all
    select from arcano.generated_jobs_by_id(p_made_id) m
     where (select arcano.generated_has_tables()) and m.relid = p_table and m.user_id is not distinct from p_user_id and m.is_open
  ) then
    v_problem := 'The row that was inserted is not in the table, or not as it was.';
  else
    select format('The same user has another job by now: %s %s (%s).', a.job_table, a.job_id, a.status) into v_problem
      from arcano.active_job a
      join arcano.job j on j.id = a.job_id and arcano.table_name(j.tableoid) = a.job_table
     where a.user_id = p_user_id and (j.tableoid, j.id) <> (p_table::oid, p_made_id) and arcano.is_of_this_transaction(j.xmin)
     union all
    select format('The same user has another job by now: %s %s (%s).', m.job_table, m.job_id, m.status)
      from arcano.generated_jobs_of_user(p_user_id) m
     where (select arcano.generated_has_tables()) and (m.relid, m.job_id) <> (p_table::oid, p_made_id) and not (m.is_orphan and m.is_enforced)
     limit 1;
    if not found then
      return;
    end if;
    v_hint := 'A user has one job at a time: make the next one when this one has ended.';
  end if;
  raise exception 'a trigger, rule or default of % made something else of the job', p_table
    using errcode = 'triggered_data_change_violation', detail = v_problem,
      hint = v_hint;
end
$$;

comment on function arcano.refuse_made_job(regclass, arcano.job.id%type, arcano.job.user_id%type, arcano.job.id%type, arcano.job.user_id%type) is
  'Internal: raises unless the job p_made_id of p_made_user_id, which was inserted or brought back for p_job_id (null: not given) of p_user_id, is that, and the user''s only active one.';

-- Forgets a user, as one may ask for: what the package keeps of the user besides the jobs themselves, which are the app's.
-- What is still needed stays, and the answer says so: a refund that is due, and the tasks and request keys of open jobs.
-- The journal keeps that it was done, and not whose it was.
create or replace function arcano.erase_user(
  p_user_id arcano.job.user_id%type,
  out events bigint,
  out refunds bigint,
  out tasks bigint,
  out refunds_due bigint,
  out open_jobs bigint
)
returns setof record
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'Name the user whose entries are to go.';
  end if;
  perform arcano.lock_user(p_user_id, 'a user cannot be erased');

  -- Before the journal, which alone knows whose a job was whose row is gone.
  delete from arcano.provider_task t
   where t.job_id is not null
     and case
           when exists (select from arcano.job j where j.id = t.job_id and j.tableoid = t.job_table) then exists (
             select
               from arcano.job j
              where j.id = t.job_id and j.tableoid = t.job_table and j.user_id = p_user_id and not arcano.is_open(j.status))
           else exists (
             select
               from arcano.job_event e
              where e.job_id = t.job_id and arcano.is_of_table(e.relid, e.job_table, t.job_table) and e.user_id = p_user_id)
         end;
  get diagnostics tasks = row_count;
  delete from arcano.refund f where f.user_id = p_user_id and f.paid_at is not null;
  get diagnostics refunds = row_count;
  delete from arcano.request r
   where r.user_id = p_user_id
     and not exists (
       select from arcano.job j
        where j.id = r.job_id and j.tableoid = r.job_table and j.user_id = p_user_id and arcano.is_open(j.status)
     );
  delete from arcano.job_event e where e.user_id = p_user_id;
  get diagnostics events = row_count;

  select count(*) into refunds_due from arcano.refund f where f.user_id = p_user_id;
  select count(*) into open_jobs
    from (
      select from arcano.open_job o where o.user_id = p_user_id
       union all
      select from arcano.generated_jobs_of_user(p_user_id) where (select arcano.generated_has_tables())
    ) o;
  perform arcano.journal('erased', 'erase_user',
    format('%s entries of the journal, %s refunds that were paid and %s tasks of a user, by %s', events, refunds, tasks, session_user),
    array[(null, null, null, '{}')::arcano.job_snapshot]);
  return next;
end
$$;

comment on function arcano.erase_user(arcano.job.user_id%type) is
  'Removes what the package keeps of the user p_user_id: entries of the journal (events), refunds that are paid (refunds) and providers'' tasks of jobs that have ended (tasks); answers how many of each. refunds_due: how many refunds are still owed and stay. open_jobs: how many jobs are open, whose request keys stay and whose ends will be journaled again: end or delete them first, and the user''s rows in your own tables too. Entries that are erased can be neither explained nor restored. Waits for the same user''s create_job.';

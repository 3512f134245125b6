-- Runs a job now or puts it into the queue, decided in one transaction: it runs only if an account has a
-- free slot and nobody is ahead who could be started. The same question again gets the same answer. Without
-- accounts only workers start jobs, and this puts it into the queue for them.
--
-- A job that the orphan rule healed is brought back for it, if its user has not gone on.
create or replace function arcano.run_or_queue(
  p_job_id arcano.job.id%type,
  p_run boolean default true,
  p_table regclass default null,
  out decision text,
  out api_account text,
  out "position" integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_ref constant arcano.job_ref := arcano.named_job(p_job_id, p_table);
  v_job record;
  v_may_run boolean;
  v_revived boolean;
  v_ahead integer;
  v_slots text[];
begin
  perform arcano.require_read_committed('a job cannot be run or queued');
  note := arcano.readmit_orphan(v_ref, 'a job cannot be run or queued');
  if note is not null then
    return;
  end if;

  select j.ctid as tid, j.status, j.created_at, j.api_account, j."position",
         arcano.entered_queue(j."position", j.waited_in_queue) as entered_queue
    into v_job
    from arcano.job j
   where j.id = v_ref.id and j.tableoid = v_ref.relid and case when arcano.is_open(j.status) then true end
     for no key update;
  if arcano.is_working(v_job.status) then
    decision := 'run';
    api_account := v_job.api_account;
    return;
  elsif arcano.is_waiting(v_job.status) is not true then
    select r.changed, r.note into v_revived, note from arcano.revive_job(v_ref, 'run_or_queue', null, null) r;
    if v_revived then
      select q.decision, q.api_account, q."position" into decision, api_account, "position"
        from arcano.run_or_queue(v_ref.id, p_run, v_ref.relid) q;
    end if;
    return;
  elsif v_job.entered_queue then
    decision := 'queued';
    "position" := case when v_job."position" > 0 then v_job."position"
      else arcano.jobs_ahead(v_job.created_at, p_job_id) + 1 end;
    return;
  end if;

  v_may_run := arcano.lock_queue();
  v_ahead := arcano.jobs_ahead(v_job.created_at, p_job_id);
  if v_may_run and p_run and (v_ahead = 0 or arcano.jobs_ahead(v_job.created_at, p_job_id, true) = 0) then
    v_slots := arcano.take_slots(1);
  end if;
  if cardinality(v_slots) > 0 then
    decision := 'run';
    api_account := v_slots[1];
    perform from arcano.start_in_slots(array[v_ref.relid], array[v_job.tid], v_slots);
  else
    decision := 'queued';
    "position" := v_ahead + 1;
    update arcano.job j
       set status = 'queued', waited_in_queue = true, "position" = v_ahead + 1
     where j.id = v_ref.id and j.tableoid = v_ref.relid;
    if not found then
      perform arcano.refuse_suppression();
    end if;
    perform arcano.wake_workers();
  end if;
end
$$;

comment on function arcano.run_or_queue(arcano.job.id%type, boolean, regclass) is
  'Decides about the waiting job p_job_id of p_table (null: of the one table that has the id). run: it is starting, in a slot of api_account, and the caller is to start it at the provider. queued: it is in the queue, at place position, for whoever claims it; with p_run false always so, for those who leave every start to workers. A job that the orphan rule healed is revived before (note: revived) if its user has no other active job. Null: it has ended otherwise, or is not there, and note says so. The same call again answers the same.';

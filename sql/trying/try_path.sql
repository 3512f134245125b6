-- A job of a table, made and led through some calls, each of which must do what it says; all of it is undone. What the app's own
-- triggers, checks, policies and privileges refuse is told of the first call that they refuse. The calls are the public ones, which run
-- with the same rights as for everybody, and what they have written must be there; a claim alone is made of its one step that writes, because there may be older jobs.
create or replace function arcano.try_path(
  p_table regclass,
  p_job_id arcano.job.id%type,
  p_user_id arcano.job.user_id%type,
  p_data jsonb,
  p_path text[],
  p_alone boolean,
  p_until timestamptz,
  out worked text[],
  out failed text,
  out problem text,
  out errcode text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job arcano.job_ref;
  v_did boolean;
  v_note text;
  v_data jsonb := p_data;
begin
  worked := '{}';
  begin
    select string_agg(coalesce(c.note, c.status), ', ') into problem
      from (
        select o.id, o.tableoid as relid from arcano.job o where o.user_id = p_user_id and arcano.is_open(o.status)
         union all
        select m.job_id, m.relid from arcano.generated_jobs_of_user(p_user_id) m where arcano.generated_has_tables()
      ) j
     cross join lateral arcano.cancel_job(j.id, false, 'tried', j.relid) c
     where not c.changed;
    foreach failed in array p_path loop
      if problem is not null then
        failed := 'cancel_job';
        exit;
      end if;
      v_note := null;
      case split_part(failed, ' ', 1)
        when 'create_job' then
          if not arcano.is_mapped(p_table) then -- a default may say that it was charged
            v_data := v_data || case failed when 'create_job' then '{"user_credit_cost": 0, "credits_charged": false}' else '{"user_credit_cost": 1, "credits_charged": true}' end::jsonb;
          end if;
          select c.created, concat('a job is in the way: ', c.active_table, ' ', c.active_job_id), p_table, c.job_id
            into v_did, v_note, v_job.relid, v_job.id
            from arcano.create_job(p_table, p_job_id, p_user_id, p_data => v_data) c;
        when 'touch_job' then
          select c.changed, c.note into v_did, v_note from arcano.touch_job(v_job.id, p_table) c;
        when 'run_or_queue' then
          select c.decision = 'queued', c.note into v_did, v_note from arcano.run_or_queue(v_job.id, false, p_table) c;
        when 'claim_jobs' then
          perform from arcano.job j
            cross join lateral arcano.start_in_slots(array[j.tableoid], array[j.ctid], (select array[a.name] from arcano.account a limit 1)) s
            where j.id = v_job.id and j.tableoid = v_job.relid;
          v_did := found;
        when 'start_job' then
          select c.changed, c.note into v_did, v_note from arcano.start_job(v_job.id, 'arcano-db tries ' || gen_random_uuid(), p_table) c;
        when 'requeue_job' then
          select c.changed, c.note into v_did, v_note from arcano.requeue_job(v_job.id, null, p_table) c;
        when 'finish_job' then
          select c.changed, c.note into v_did, v_note from arcano.finish_job(v_job.id, 'completed', null, null, p_table) c;
        when 'fail_job' then
          select c.changed, c.note into v_did, v_note from arcano.fail_job(v_job.id, 'tried', null, p_table) c;
        when 'cancel_job' then
          select c.changed and (c.refunded or failed !~ 'refunded'), c.note into v_did, v_note from arcano.cancel_job(v_job.id, true, 'tried', p_table) c;
          if v_note is null and not v_did then
            v_note := (select f.error from arcano.job_refunds(v_job, (select j.created_at from arcano.job j where j.id = v_job.id and j.tableoid = v_job.relid)) f limit 1);
          end if;
        when 'restore_job' then
          v_did := arcano.restore_job((
            select e.event_id from arcano.job_event e where e.relid = v_job.relid and e.job_id = v_job.id order by e.event_id desc limit 1));
      end case;
      -- Not what a caller has left for its commit, which would run with the rights of this function.
      if p_alone then
        set constraints all immediate;
      end if;
      problem := case when v_did is not true then coalesce(v_note, 'it did nothing') else arcano.not_kept(failed, v_job, p_user_id) end;
      exit when problem is not null;
      worked := worked || failed;
      if clock_timestamp() > p_until then
        errcode := 'AR004';
        problem := 'it takes long';
      end if;
    end loop;
    if problem is null then
      failed := null;
    end if;
    raise exception 'rolled back' using errcode = 'AR001';
  exception
    when sqlstate 'AR001' then
      null;
    when others or assert_failure then
      get stacked diagnostics errcode = returned_sqlstate, problem = message_text;
  end;
end
$$;

comment on function arcano.try_path(regclass, arcano.job.id%type, arcano.job.user_id%type, jsonb, text[], boolean, timestamptz) is
  'Internal: makes job p_job_id (null: the table gives its id) of user p_user_id in p_table with p_data and leads it through the calls p_path; undoes all of it (p_alone: what is_alone said before), and stops at p_until (null: never). Which worked, and which failed first and why (null: none).';

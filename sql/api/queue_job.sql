-- A user's own job into the queue, never into a slot: what runs is started by workers.
create or replace function arcano_api.queue_job(
  p_job_id arcano.job.id%type,
  p_table text default null,
  out decision text,
  out "position" integer,
  out note text
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_job constant arcano.job_ref := arcano.own_job(p_job_id, p_table);
begin
  if arcano.generated_has_tables() and arcano.is_mapped(v_job.relid) then
    note := 'its table is mapped, and has no queue';
    return;
  end if;
  select q.decision, q."position", q.note into decision, "position", note
    from arcano.run_or_queue(v_job.id, false, v_job.relid) q;
end
$$;

comment on function arcano_api.queue_job(arcano.job.id%type, text) is
  'Puts the waiting job p_job_id of the user who calls (in p_table, which may be left out if the id is in one table alone) into the queue. decision: queued, at place position; run: it is worked on already; null: it has ended, or cannot be queued, and note says why. The same call again answers the same.';

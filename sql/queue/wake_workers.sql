-- Tells workers that listen that there is something to claim: a job in the queue, and a free slot. Called
-- in every transaction that adds either, but for requeue_job (whoever puts a job back has found the provider full);
-- however often that is, one notification comes of it.
create or replace function arcano.wake_workers()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  if exists (select from arcano.account) and not exists (select from arcano.account_status a where a.free > 0) then
    return;
  end if;
  if arcano.has_claimable_job() then
    perform arcano.notify('arcano_jobs', '');
  end if;
end
$$;

comment on function arcano.wake_workers() is
  'Internal: notifies channel arcano_jobs if there is a job that may be started and a free slot.';

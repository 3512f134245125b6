-- Tells workers that listen that there is something to claim: a job in the line, and a free slot. To be
-- called in every transaction that adds either; however often that is, one notification comes of it.
create or replace function arcano.wake_workers()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- a plan made while most rows waited must not outlive that
set jit = off -- which takes what is off for expensive
as $$
begin
  if exists (select from arcano.account) and not exists (select from arcano.account_status a where a.free > 0) then
    return;
  end if;
  perform
    from arcano.job j
   where arcano.is_in_line(j.status, j."position", j.waited_in_queue)
   order by j.created_at, j.id
   limit 1;
  if found then
    perform pg_notify('arcano_jobs', '');
  end if;
end
$$;

comment on function arcano.wake_workers() is
  'Internal: notifies channel arcano_jobs if there is a job in the line and a free slot.';

-- Tells workers that listen that there is something to claim: a job in the line, and a free slot. To be
-- called in every transaction that adds either; however often that is, one notification comes of it.
create or replace function arcano.wake_workers()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from arcano.open_job o where o.is_in_line)
    and (not exists (select from arcano.account) or exists (select from arcano.account_status a where a.free > 0))
  then
    perform pg_notify('arcano_jobs', '');
  end if;
end
$$;

comment on function arcano.wake_workers() is
  'Internal: notifies channel arcano_jobs if there is a job in the line and a free slot.';

-- For an app that prepares its transactions (two-phase commit), in which PostgreSQL allows no notification.
create or replace function arcano.set_notifications(p_on boolean default true)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.setting set notifies = p_on is true;
end
$$;

comment on function arcano.set_notifications(boolean) is
  'Whether workers and monitors are notified (channels arcano_jobs and arcano_breaker); on by default. Off: for an app that prepares transactions (two-phase commit), since PostgreSQL prepares none with a notification in it. Workers poll all the same, and find all that there is.';

-- Tells whoever listens on a channel, if that can do no harm: PostgreSQL refuses to commit where its queue of
-- notifications is full, and to prepare a transaction with one in it. A notification is a hint; who polls finds all that
-- there is without it. So nothing is notified while that queue is more than half full, nor where set_notifications says so.
create or replace function arcano.notify(p_channel text, p_payload text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_notification_queue_usage() <= 0.5 and (select s.notifies from arcano.setting s) then
    perform pg_notify(p_channel, p_payload);
  end if;
end
$$;

comment on function arcano.notify(text, text) is
  'Internal: notifies p_channel with p_payload, unless the settings or the server''s queue of notifications forbid it.';

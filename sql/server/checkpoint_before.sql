-- The last checkpoint, if it was before then: the server was running. One that was stopped in good order has made one at its
-- end. Null where the host does not tell. It is written in whole seconds, and one that ends the recovery from a crash comes
-- right after the start.
create or replace function arcano.checkpoint_before(p_at timestamptz)
returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (select c.checkpoint_time from pg_control_checkpoint() c where c.checkpoint_time < p_at - interval '1 second');
exception
  when others then
    return null;
end
$$;

comment on function arcano.checkpoint_before(timestamptz) is
  'Internal: when the server made its last checkpoint, if that was before p_at; null: it was not, or the server does not tell.';

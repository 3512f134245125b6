-- One at a time: who asks whether anybody is ahead in the line, and then passes or joins it. Waits for
-- another's transaction for at most half a second, and then answers false: a job that is put into the line
-- overtakes nobody, so that one who holds on to the line stops no one else.
--
-- The lock is on a table that nobody else may lock.
create or replace function arcano.lock_queue()
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
begin
  lock table arcano.lock in exclusive mode;
  return true;
exception
  when lock_not_available then
    return false;
end
$$;

comment on function arcano.lock_queue() is
  'Internal: holds others off from passing the line until the transaction ends; false: somebody else does.';

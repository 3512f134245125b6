-- One at a time may ask whether anybody is ahead in the queue, and then start a job or put it into the queue. Waits
-- for another's transaction for at most half a second, and then answers false. The caller then puts its job into the
-- queue, which overtakes nobody: so a transaction that holds this lock for long stops no one else.
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
  'Internal: lets only this run_or_queue decide until the transaction ends; false: another one decides at this moment.';

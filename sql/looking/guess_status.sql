-- Which status of the contract an app probably means by another word, for advice alone: no rule uses this.
create or replace function arcano.guess_status(p_status text)
returns text
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select m.status
      from (
        values
          ('queued', '{new,created,waiting,enqueued,ready,available,todo,submitted}'::text[]),
          ('running', '{processing,in_progress,in-progress,progress,active,executing,started,working,busy,rendering,leased,locked,claimed}'),
          ('completed', '{done,finished,success,succeeded,successful,complete,ok}'),
          ('failed', '{error,errored,failure,dead,discarded,timeout,timed_out,expired,crashed,rejected}'),
          ('cancelled', '{canceled,cancel,aborted,deleted,skipped,stopped}')
      ) m (status, words)
     where lower(p_status) = any (m.words)
  );
end
$$;

comment on function arcano.guess_status(text) is
  'Internal: the status of the contract that p_status probably means; null: no idea.';

-- How long a call may be held up by whoever holds the lock of its user, or what the row of a new job needs.
create or replace function arcano.set_longest_wait(p_longest_wait interval)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_longest_wait is null or p_longest_wait < '10 milliseconds' or p_longest_wait > '1 hour' then
    raise exception 'p_longest_wait must be 10 milliseconds to 1 hour, not %', coalesce(p_longest_wait::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Such as 5 seconds.';
  end if;
  update arcano.setting set longest_wait = p_longest_wait;
end
$$;

comment on function arcano.set_longest_wait(interval) is
  'Sets for how long create_job, restore_job, and what would bring an orphan back wait at most for another call of the same user, and create_job for what its row needs (at first 5 seconds; 10 milliseconds to 1 hour). A lock_timeout that is shorter comes first. Then the error 55P03 says who is in the way.';

-- What create_job says when it has waited long enough for anything but the lock of its user, which has words of its own.
-- To be called where that is caught.
create or replace function arcano.refuse_wait(p_table regclass, p_since timestamptz, p_waits_since timestamptz, p_error text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_holders constant record := arcano.insert_holders(p_table, p_waits_since);
begin
  raise exception 'a job cannot be admitted: others hold what its row needs'
    using errcode = 'lock_not_available',
      detail = format('%s, after %s. It was held by %s.',
        p_error, justify_hours(date_trunc('milliseconds', clock_timestamp() - p_since)), v_holders.holders),
      hint = 'Try again. If it goes on: ' || v_holders.mend;
end
$$;

comment on function arcano.refuse_wait(regclass, timestamptz, timestamptz, text) is
  'Internal: raises that a new job of p_table (null: it is not known yet) cannot be admitted, and who is in the way. p_since: since when its caller waits. p_waits_since: since when at most for what was not to be had. p_error: what PostgreSQL said.';

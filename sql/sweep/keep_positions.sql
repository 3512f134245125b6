-- Writes places to rows for the sweep, whose ends stay if that cannot be done, such as because of the app's own trigger.
create or replace function arcano.keep_positions(p_since timestamptz, p_alone boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.refresh_positions();
  perform arcano.check_constraints_now(null, p_since, current_setting('lock_timeout')::interval) where p_alone;
exception
  when others or assert_failure then
    raise warning 'the places in the line could not be written: % %', sqlstate, sqlerrm;
end
$$;

comment on function arcano.keep_positions(timestamptz, boolean) is
  'Internal: refresh_positions for the sweep that began at p_since. p_alone: what is_alone said then.';

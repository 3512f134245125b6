-- Up to p_limit free slots, each as the name of its account, of as few accounts as have them, the least loaded
-- first. Every account answered is locked until the transaction ends, so that nobody else counts its free slots
-- meanwhile; one that somebody else has locked is passed over. Accounts that are left over are for those who claim at the same time.
create or replace function arcano.take_slots(p_limit integer)
returns text[]
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan -- else an array of another length is planned again
set enable_seqscan = off -- a plan that was made while most rows waited is still there when few do
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
declare
  v_accounts text[];
  v_slots text[];
begin
  -- Which have free slots is only certain once they are locked: if not one of them has, look again.
  for v_round in 1..3 loop
    with free as materialized (
      select s.api_account, s.free, s.used::float8 / s.slots as load from arcano.account_status s where s.free > 0
    )
    select array_agg(l.name) into v_accounts
      from (
        select a.name
          from arcano.account a
          join free f on f.api_account = a.name
         order by f.load, a.name
         -- As many as are enough, even if they are those with the fewest free slots.
         limit (
           select count(*)
             from (select sum(f.free) over (order by f.free, f.api_account) - f.free as before from free f) n
            where n.before < p_limit
         )
           for no key update of a skip locked
      ) l;
    exit when v_accounts is null;

    select array_agg(f.name order by f.load, f.name) into v_slots
      from (
        select s.api_account as name, n::float8 / s.slots as load
          from arcano.account_status s
         cross join generate_series(s.used + 1, least(s.used + s.free, s.used + p_limit)) n
         where s.api_account = any (v_accounts)
         order by load, name
         limit p_limit
      ) f;
    exit when v_slots is not null;
  end loop;
  return coalesce(v_slots, '{}');
end
$$;

comment on function arcano.take_slots(integer) is
  'Internal: locks accounts with free slots, as few as are enough, and answers up to p_limit of those slots, each as its account''s name.';

-- Adds a provider account or changes one. Waits for whoever takes a slot of it at this moment.
create or replace function arcano.set_account(
  p_name text,
  p_slots integer default null,
  p_enabled boolean default null
)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_old arcano.account%rowtype;
  v_slots integer;
begin
  select a.* into v_old from arcano.account a where a.name = p_name;
  v_slots := coalesce(p_slots, v_old.slots);
  if coalesce(p_name, '') = '' or v_slots is null or v_slots not between 0 and 100000 then
    raise exception 'an account needs a name and a number of slots between 0 and 100000'
      using errcode = 'invalid_parameter_value',
        detail = format('p_name is %s, p_slots is %s.', coalesce(quote_literal(p_name), 'null'), coalesce(p_slots::text, 'null')),
        hint = 'Such as: select arcano.set_account(''provider-1'', 3);';
  end if;
  insert into arcano.account as a (name, slots, enabled)
  values (p_name, v_slots, coalesce(p_enabled, true))
  on conflict (name) do update
     set slots = coalesce(p_slots, a.slots), enabled = coalesce(p_enabled, a.enabled);
  perform arcano.wake_workers();
end
$$;

comment on function arcano.set_account(text, integer, boolean) is
  'Sets the provider account p_name: p_slots, how many jobs may be starting or running in it at once, and p_enabled, false: start no more in it. Null leaves what it was; a new account needs p_slots and is enabled. Once there is any account, jobs start only in free slots; jobs that run go on, also beyond a lowered p_slots.';

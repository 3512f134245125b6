-- Has whatever would refuse the change at commit (a deferred constraint or constraint trigger, also of a table that the
-- app's own triggers write to) refuse it now, where it spoils one job; at commit it would spoil all that the call did.
-- To be called inside of the block that catches what a job's table refuses. Checks that the caller's own transaction has
-- left for its commit are made now as well; if one fails here, it is waiting again afterwards.
--
-- Named one by one, and only those that are deferred from the start: set constraints all would leave the caller's
-- transaction with none deferred, or with all. Dynamic, because they are the app's own.
create or replace function arcano.check_constraints_now(p_relids oid[])
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_deferred text;
begin
  -- Mostly nothing of the tables' own runs, and so nothing can be waiting.
  if p_relids is not null and not exists (
    select from pg_trigger g where g.tgrelid = any (p_relids) and (g.tginitdeferred or not g.tgisinternal)
  ) then
    return;
  end if;
  select string_agg(format('%I.%I', n.nspname, c.conname), ', ') into v_deferred
    from pg_constraint c
    join pg_namespace n on n.oid = c.connamespace
   where c.condeferred and not pg_is_other_temp_schema(n.oid) and has_schema_privilege(n.oid, 'usage');
  if v_deferred is not null then
    execute format('set constraints %s immediate', v_deferred);
    execute format('set constraints %s deferred', v_deferred);
  end if;
end
$$;

comment on function arcano.check_constraints_now(oid[]) is
  'Internal: raises what a deferred constraint would raise at commit, if code of the tables p_relids (null: of others) can have left any.';

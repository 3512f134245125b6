-- Has whatever would refuse the change at commit (a deferred constraint or constraint trigger, also of a table that the
-- app's own triggers write to) refuse it now, where it spoils one job; at commit it would spoil all that the call did.
-- To be called inside of the block that catches what a job's table refuses.
--
-- Only where is_alone was true when the call began. What a caller has left for its commit must not be asked here: it runs
-- with the rights of these functions, and perhaps too early.
--
-- Named one by one, and only those that are deferred from the start: set constraints all would leave the caller's
-- transaction with none deferred, or with all. A name means every constraint that has it in a schema, and so one that is
-- deferred in one table alone is left out. Dynamic, because they are the app's own.
create or replace function arcano.check_constraints_now(p_relids oid[], p_since timestamptz, p_lock_timeout interval)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s' -- see limit_wait
as $$
declare
  v_deferred text;
begin
  -- Mostly nothing of the tables' own runs but foreign keys, and so nothing can be waiting.
  if p_relids is not null and not exists (
    select
      from pg_trigger g
     where g.tgrelid = any (p_relids)
       and (g.tginitdeferred or not g.tgisinternal
         or g.tgfoid in ('"RI_FKey_cascade_upd"'::regproc, '"RI_FKey_setnull_upd"'::regproc, '"RI_FKey_setdefault_upd"'::regproc))
  ) then
    return;
  end if;
  select string_agg(format('%I.%I', n.nspname, c.conname), ', ') into v_deferred
    from pg_constraint c
    join pg_namespace n on n.oid = c.connamespace
   where c.condeferred
     and n.nspname not like 'pg\_%' and has_schema_privilege(n.oid, 'usage')
     and not exists (
       select from pg_constraint o where o.conname = c.conname and o.connamespace = c.connamespace and not o.condeferred
     );
  if v_deferred is not null then
    perform arcano.limit_wait(p_since, p_lock_timeout);
    execute format('set constraints %s immediate', v_deferred);
    execute format('set constraints %s deferred', v_deferred);
  end if;
end
$$;

comment on function arcano.check_constraints_now(oid[], timestamptz, interval) is
  'Internal: raises what a deferred constraint would raise at commit, if code of the tables p_relids (null: of others) can have left any. p_since, p_lock_timeout: as for end_jobs_at_once.';

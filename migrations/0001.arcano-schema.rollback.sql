-- Dropping arcano.job with a table still attached would be refused by PostgreSQL too; this says why
-- and what to do. Never "cascade" here: it would drop the attached tables themselves.
do $$
declare
  v_attached text;
begin
  lock table arcano.job in access exclusive mode;
  select string_agg(format('select arcano.detach_job_table(%L);', i.inhrelid::regclass), ' ')
    into v_attached
    from pg_catalog.pg_inherits i
   where i.inhparent = 'arcano.job'::regclass;
  if v_attached is not null then
    raise exception 'job tables are still attached to arcano.job'
      using errcode = 'dependent_objects_still_exist', hint = 'Detach them first: ' || v_attached;
  end if;
end
$$;

drop type arcano.job_ref;

drop table arcano.job;

drop schema arcano;

-- The roles stay while anything in the cluster depends on them: a grant in another database (which
-- drop role itself refuses) or a member (which it would forget silently). The role that made a group
-- role is its member in PostgreSQL 16 and later, and does not count.
do $$
declare
  v_role text;
begin
  for v_role in
    select r.rolname
      from pg_catalog.pg_roles r
     where r.rolname in ('arcano_backend', 'arcano_operator', 'arcano_user')
       and not exists (
         select from pg_catalog.pg_auth_members m
          where m.roleid = r.oid and m.member <> to_regrole(quote_ident(current_user))
       )
  loop
    begin
      execute format('drop role %I', v_role);
    exception
      when dependent_objects_still_exist or insufficient_privilege or object_in_use then
        raise notice 'arcano: role % was kept: %', v_role, sqlerrm;
    end;
  end loop;
end
$$;

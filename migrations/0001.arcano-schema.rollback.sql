drop type if exists arcano.job_ref;

drop table if exists arcano.job;

-- yoyo, which runs this, has its own account in it, and notes there what was rolled back.
do $$
begin
  if to_regclass('arcano._yoyo_migration') is null then
    drop schema if exists arcano;
  end if;
end
$$;

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
      if to_regnamespace('arcano') is not null then
        execute format('revoke all on schema arcano from %I', v_role);
      end if;
      execute format('drop role %I', v_role);
    exception
      when dependent_objects_still_exist or insufficient_privilege or object_in_use then
        raise notice 'arcano: role % was kept: %', v_role, sqlerrm;
    end;
  end loop;
end
$$;

-- Row level security and a job table. Who is subject to its policies may be an end user: what such a role may write of the columns
-- that only a backend should fill, its users can make up, such as that they were charged. And where it hides rows of whoever
-- looks, what is counted is not all.
create or replace function arcano.policy_findings(p_table regclass, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  c constant pg_class := (select x from pg_class x where x.oid = p_table);
  v_has_refunds constant boolean := (select s.refund_function is not null from arcano.setting s);
begin
  if row_security_active(p_table) then
    return query select 'error', 'hidden rows', format('row level security of %s hides rows from %s, who looks: nothing that is counted here is all', p_table, current_user::regrole),
      case when c.relforcerowsecurity then format('alter table %s no force row level security; -- or as a superuser: alter role %I bypassrls;', p_table, current_user)
        else format('alter role %I bypassrls; -- as a superuser; or look as %s', current_user, c.relowner::regrole) end;
  end if;
  if not c.relrowsecurity then
    return;
  end if;
  return query
    select case when v_has_refunds and w.columns && array['credits_charged', 'user_credit_cost', 'credits_refunded'] then 'error' else 'warning' end, 'rights of end users',
           format('%s may write %s of its own rows in %s%s', w.grantee, array_to_string(w.columns, ', '), p_table,
             case when v_has_refunds then ': it can have refunded what nobody paid' end),
           format('revoke insert, update on %1$s from %2$s;%3$s -- its jobs are made by create_job of schema arcano_api', p_table, w.grantee,
             (select ' ' || string_agg(format('grant %s (%s) on %s to %s;', p.privilege, p.columns, p_table, w.grantee), ' ' order by p.privilege)
                from (
                  select k.privilege, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
                    from unnest(array['insert', 'update']) k (privilege)
                    join pg_attribute a on a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attname <> all (w.columns)
                   where has_column_privilege(w.role, p_table, a.attnum, k.privilege)
                   group by k.privilege
                ) p))
      from (
        select r.grantee, r.role,
               array_agg(distinct a.attname::text order by a.attname::text) filter (where has_column_privilege(r.role, p_table, a.attnum, 'insert') and r.inserts
                 or has_column_privilege(r.role, p_table, a.attnum, 'update') and r.updates) as columns
          from arcano.roles_under_policies(p_table) r
          join pg_attribute a on a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
          join pg_attribute k on k.attrelid = 'arcano.job'::regclass and k.attname = a.attname
           and k.attname <> all (array['id', 'user_id', 'session_id', 'status', 'created_at'])
         group by r.grantee, r.role
      ) w
     where w.columns is not null
     order by w.grantee;
end
$$;

comment on function arcano.policy_findings(regclass) is
  'Internal: what row level security of p_table hides from whoever looks, and what it lets end users write that only a backend should.';

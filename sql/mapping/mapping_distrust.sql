-- Why what has the name of a mapped table, or of what its expressions call, is not to be trusted; null: it is. Names are all that
-- is kept of them, and once they are dropped, whoever may create in their schema can make others, whose code would then run with
-- the rights of who migrated. So it must still be theirs who had it when it was mapped, or be theirs who may do all that anyway.
create or replace function arcano.mapping_distrust(p_mapping arcano.mapping)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_runner constant oid := (select j.relowner from pg_class j where j.oid = 'arcano.job'::regclass);
begin
  return (
    select format('%s belongs to %I, and to %I when it was mapped: if %1$s of %2$I may run with the rights of %4$I, map it anew',
             o.what, pg_get_userbyid(o.owner), o.trusted, pg_get_userbyid(v_runner))
      from (
        select 'it', c.relowner, p_mapping.owner from pg_class c where c.oid = arcano.relation_of(p_mapping.name)
         union all
        select u.key, n.owner, u.value
          from jsonb_each_text(p_mapping.code) u
         cross join lateral arcano.named_code(u.key) n
      ) o (what, owner, trusted)
     where pg_get_userbyid(o.owner) <> o.trusted and not arcano.has_rights_of(o.owner, v_runner)
     limit 1
  );
end
$$;

comment on function arcano.mapping_distrust(arcano.mapping) is
  'Internal: whose the table of p_mapping is now, or what its expressions name, if it was another''s when it was mapped, and theirs are fewer rights than those of who migrated; null: nothing has changed.';

-- Ids are not made of each other: a number is no uuid. Their types are chosen when the package is installed, which can be done again
-- while no table depends on it.
create or replace function arcano.other_id_types(p_table regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'arcano-db uninstall && arcano-db migrate ' || string_agg(format('--%s-type %s', replace(a.attname, '_', '-'), k.type), ' ' order by a.attname)
    from pg_attribute a
   cross join lateral arcano.guess_id_kind(a.atttypid) k (type)
   where a.attrelid = p_table and a.attname in ('id', 'user_id') and not a.attisdropped
     and not exists (select from arcano.job_table) and not exists (select from arcano.job_event) and not exists (select from arcano.refund)
$$;

comment on function arcano.other_id_types(regclass) is
  'Internal: what installs the package with the types that the ids of p_table have; null: other tables, the journal or refunds depend on those that it has.';

-- What an expression over a table's row is, without running or planning it: its type, and whose code it names, by the
-- dependencies of a view of it, which is made and undone.
--
-- In the package's own schema: what was temporary could not be prepared for two-phase commit. Dynamic, because the expression is
-- not known before.
create or replace function arcano.mapping_probe(
  p_mapping arcano.mapping,
  p_expression text,
  p_type text,
  out type oid,
  out code jsonb,
  out uses text[],
  out problem text
)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the names of types
as $$
declare
  v_view constant text := 'arcano.probe_of_' || pg_backend_pid();
begin
  execute format('create view %s as select (%s) as value, (%2$s)::%s as meant from %s t where (%2$s) is not null', v_view, p_expression, p_type, p_mapping.name);
  select arcano.base_type(a.atttypid) into type from pg_attribute a where a.attrelid = v_view::regclass and a.attname = 'value';
  uses := array(
    select distinct a.attname::text
      from pg_rewrite w
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = p_mapping.relid
      join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
     where w.ev_class = v_view::regclass and d.refobjsubid > 0);
  with recursive read (relid) as ( -- other relations as well, and those that views among them read
    select v_view::regclass::oid
     union
    select d.refobjid
      from read r
      join pg_rewrite w on w.ev_class = r.relid
      join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
     where d.refobjid <> p_mapping.relid
  )
  select coalesce(jsonb_object_agg(o.type || ' ' || o.identity, pg_get_userbyid(c.owner)), '{}') into code
    from read r
   cross join lateral arcano.code_of_table(r.relid) c
   cross join lateral pg_identify_object(c.class, c.object, 0) o
   where c.object <> v_view::regclass;
  raise exception 'made to be undone' using errcode = 'AR001';
exception
  when sqlstate 'AR001' then
    null;
  when syntax_error_or_access_rule_violation or data_exception or invalid_schema_name or feature_not_supported then
    problem := sqlerrm;
end
$$;

comment on function arcano.mapping_probe(arcano.mapping, text, text) is
  'Internal: the type of an expression over the row t of the table of p_mapping, what code it names (as in arcano.mapping), and why it cannot be read as p_type; null: it can. Changes nothing.';

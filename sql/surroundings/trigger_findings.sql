-- Triggers of a table that do not see what the package writes: it writes to the attached tables through their parent, and PostgreSQL
-- fires statement-level triggers for the table alone that a statement names.
create or replace function arcano.trigger_findings(p_table regclass, out level text, out finding text, out detail text, out hint text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'warning', 'triggers',
         format('%I on %s fires once a statement: of what the package writes it sees the inserts of create_job, and no start, end or sign of life', t.tgname, p_table),
         '-- in a migration of your own: create it for each row'
    from pg_trigger t
   where t.tgrelid = p_table and not t.tgisinternal and t.tgenabled <> 'D' and not arcano.is_mapped(p_table)
     and t.tgtype & 1 = 0 and t.tgtype & 24 <> 0 -- for a statement; delete or update
   order by t.tgname
$$;

comment on function arcano.trigger_findings(regclass) is
  'Internal: triggers of p_table that do not fire for what the package writes.';

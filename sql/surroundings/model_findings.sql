-- What an app has to know before a table of its is attached: its models read what the package writes.
create or replace function arcano.model_findings(p_table regclass, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns constant text := (
    select string_agg(k.attname, ', ' order by k.attnum)
      from pg_attribute k
     where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
       and not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = k.attname and not a.attisdropped));
begin
  return query select 'note', 'words that the package writes', 'status becomes ' || array_to_string(arcano.written_statuses(), ', '),
    'What your models list of it has to have them all before the table is attached: an enum of SQLAlchemy raises LookupError for a row with another one, and Django''s full_clean refuses it.';
  if v_columns is not null then
    return query select 'note', 'columns that are added', v_columns,
      'A prepared "select *" or "returning *" fails once after that (0A000, cached plan must not change result type): attach with the app stopped, or let it connect anew. An ORM that compares schemas has to know them: docs/orm.';
  end if;
  return query
    select 'note', 'who gives ids', 'the table alone does (generated always)', 'Call create_job with p_job_id null; it answers the id.'
      from pg_attribute a where a.attrelid = p_table and a.attname = 'id' and a.attidentity = 'a';
end
$$;

comment on function arcano.model_findings(regclass) is
  'Internal: which words and columns the app will meet in p_table once it is attached.';

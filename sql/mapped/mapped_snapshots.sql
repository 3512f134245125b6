-- The statement that reads rows of a mapped table by their ids ($1, as text), with p_lock locks them and leaves out those that
-- somebody holds, and answers each as the journal keeps it, and where it lies: as it is in the table, with the app's own names and
-- words, and when it was made. What of a row is long is cut as in the journal of attached tables. p_as_text: each column as text, since
-- jsonb cannot hold all that a column of another type takes.
create or replace function arcano.mapped_snapshots(p_mapping arcano.mapping, p_lock boolean, p_as_text boolean default false)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant integer := (arcano.table_settings(p_mapping.relid)).journal_value_limit;
  v_row constant text := (
    select case when p_as_text then format('(select to_jsonb(k) from (select %s) k)', string_agg(format('t.%1$I::text as %1$I', a.attname), ', ' order by a.attnum))
           else 'to_jsonb(t.*)' end
      from pg_attribute a where a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped);
begin
  return format(
    'select (%L::oid, l.id, l.user_id, arcano.short_row(l.job, %L) || jsonb_build_object(''arcano.created_at'', l.made_at))::arcano.job_snapshot, l.tid, l.rel'
    ' from (select t.tableoid as rel, t.ctid as tid, (%s)::%s as id, (%s)::%s as user_id, %s as made_at, %s as job from %s t where %s%s) l',
    p_mapping.relid, v_limit,
    arcano.mapped_expression(p_mapping, 'id'), arcano.contract_type('id'),
    arcano.mapped_expression(p_mapping, 'user_id'), arcano.contract_type('user_id'),
    arcano.mapped_expression(p_mapping, 'created_at'), v_row, p_mapping.name, arcano.mapped_where(p_mapping, 'ids'),
    case when p_lock then ' for update skip locked' end);
end
$$;

comment on function arcano.mapped_snapshots(arcano.mapping, boolean, boolean) is
  'Internal: the statement that reads rows of the table of p_mapping: the job_snapshot of each, and its place and table. p_lock: it locks them, and leaves out what others hold.';

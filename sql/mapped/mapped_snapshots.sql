-- The statement that reads rows of a mapped table by their ids ($1, as text), with p_lock locks them and leaves out those that
-- somebody holds, and answers where they lie, and each as the journal keeps it: as it is in the table, with the app's own names and words, and when it was
-- made. What of a row is long is cut as in the journal of attached tables.
create or replace function arcano.mapped_snapshots(p_mapping arcano.mapping, p_lock boolean)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_limit constant integer := (arcano.table_settings(p_mapping.relid)).journal_value_limit;
begin
  return format(
    'select array_agg(l.rel), array_agg(l.tid), array_agg((%L::oid, l.id, l.user_id, arcano.short_row(l.job, %L) || jsonb_build_object(''arcano.created_at'', l.made_at))::arcano.job_snapshot)'
    ' from (select t.tableoid as rel, t.ctid as tid, (%s)::%s as id, (%s)::%s as user_id, %s as made_at, to_jsonb(t) as job from %s t where %s%s) l',
    p_mapping.relid, v_limit,
    arcano.mapped_expression(p_mapping, 'id'), arcano.contract_type('id'),
    arcano.mapped_expression(p_mapping, 'user_id'), arcano.contract_type('user_id'),
    arcano.mapped_expression(p_mapping, 'created_at'), p_mapping.name, arcano.mapped_where(p_mapping, 'ids'),
    case when p_lock then ' for update skip locked' end);
end
$$;

comment on function arcano.mapped_snapshots(arcano.mapping, boolean) is
  'Internal: the statement that reads rows of the table of p_mapping, and answers three arrays: table, place and job_snapshot of each. p_lock: it locks them, and leaves out what others hold.';

-- The statement that reads rows of a mapped table as if they were the contract's: all columns of arcano.job, null where the
-- table has none, its table and where it lies. The parameter is mapped_where's.
--
-- What restore_job has put back is exempt, and alive since then. With core, only what it takes to block a user: what protects a job
-- may be what has changed, and so it is exempt.
create or replace function arcano.mapped_rows(p_mapping arcano.mapping, p_rows text, p_columns text[] default null)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text;
begin
  select string_agg(format('%s as %I', coalesce(
           case
             when k.attname <> all (p_columns) then null
             when k.attname = 'status' then (
               select format('case (%s)::text %s end', e.expression, string_agg(format('when %L then %L::text', s.key, s.value), ' ' order by s.key))
                 from jsonb_each_text(p_mapping.statuses) s)
             when p_rows = 'core' then
               case k.attname when 'orphan_exempt' then 'true' when 'id' then t.value when 'user_id' then t.value end
             when k.attname = 'orphan_exempt' then 'arcano_e.restored_at is not null'
             when k.attname = 'heartbeat_at' then format('greatest(%s, arcano_e.restored_at)', coalesce(t.value, 'null'))
             else t.value
           end, format('null::%s', k.type)), k.attname), ', ' order by k.attnum)
    into v_columns
    from (
      select a.attname, a.attnum, format_type(a.atttypid, a.atttypmod) as type
        from pg_attribute a
       where a.attrelid = 'arcano.job'::regclass and a.attnum > 0 and not a.attisdropped
    ) k
   cross join lateral (select arcano.mapped_expression(p_mapping, k.attname::text)) e (expression)
   cross join lateral (select case when e.expression is not null then format('(%s)::%s', e.expression, k.type) end) t (value);
  return format('select %L::regclass::oid as tableoid, t.ctid as ctid, %s from %s t%s where %s',
    p_mapping.name, v_columns, p_mapping.name,
    case when p_rows <> 'core' then format(
      ' left join arcano.mapped_exempt arcano_e on arcano_e.name = %L and arcano_e.job_id = (%s)::text and arcano_e.created_at is not distinct from %s',
      p_mapping.name, arcano.mapped_expression(p_mapping, 'id'), arcano.mapped_expression(p_mapping, 'created_at')) end,
    arcano.mapped_where(p_mapping, p_rows));
end
$$;

comment on function arcano.mapped_rows(arcano.mapping, text, text[]) is
  'Internal: the statement that reads rows of the table of p_mapping with the contract''s columns; p_rows: as for mapped_where; p_columns: which of them, and null for others (null: all).';

-- The statement that reads rows of a mapped table as if they were the contract's: all columns of arcano.job, null where the
-- table has none, its table and where it lies. The parameter is mapped_where's.
--
-- With core, only what it takes to block a user: what protects a job may be what has changed, and so it is exempt.
create or replace function arcano.mapped_rows(p_mapping arcano.mapping, p_rows text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text;
begin
  select string_agg(format('%s as %I', coalesce(
           case
             when k.attname = 'status' then (
               select format('case (%s)::text %s end', e.expression, string_agg(format('when %L then %L::text', s.key, s.value), ' ' order by s.key))
                 from jsonb_each_text(p_mapping.statuses) s)
             when k.attname = 'orphan_exempt' then
               case when p_rows = 'core' then 'true'
                 else format('exists (select from arcano.mapped_exempt x where x.name = %L and x.job_id = (%s)::text)', p_mapping.name, arcano.mapped_expression(p_mapping, 'id')) end
             when e.expression is not null and (p_rows <> 'core' or k.attname in ('id', 'user_id')) then format('(%s)::%s', e.expression, format_type(k.atttypid, k.atttypmod))
           end, format('null::%s', format_type(k.atttypid, k.atttypmod))), k.attname), ', ' order by k.attnum)
    into v_columns
    from pg_attribute k
   cross join lateral (select arcano.mapped_expression(p_mapping, k.attname::text)) e (expression)
   where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped;
  return format('select %L::regclass::oid as tableoid, t.ctid as ctid, %s from %s t where %s',
    p_mapping.name, v_columns, p_mapping.name, arcano.mapped_where(p_mapping, p_rows));
end
$$;

comment on function arcano.mapped_rows(arcano.mapping, text) is
  'Internal: the statement that reads rows of the table of p_mapping with the contract''s columns; p_rows: as for mapped_where.';

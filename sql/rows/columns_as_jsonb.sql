-- A row as jsonb, whatever it holds. A value of more than p_limit bytes is cut, and is the beginning of it as text; one
-- that jsonb cannot hold (a json column takes "\u0000" and 1e400000) is text as well, and one that cannot be read is null. Of
-- each of these the key "arcano.unlike" says why it is not as it was. A column of this name is left out.
--
-- All columns in one statement; if that fails, each by itself. Dynamic, because a table's own columns are not known before.
create or replace function arcano.columns_as_jsonb(
  p_source text,
  p_job arcano.job_ref,
  p_limit integer,
  p_columns name[] default null
)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns name[];
  v_values text;
  v_row jsonb;
  v_unlike jsonb;
  v_part jsonb;
  v_reason text;
begin
  select array_agg(a.attname order by a.attnum),
         string_agg(
           format('(%1$L, %2$s, case when %2$s > $3 then to_jsonb(left(%3$s, $3 / 4)) else to_jsonb(t.%1$I) end)',
             a.attname, replace(k.size, '@', format('t.%I', a.attname)), replace(k.beginning, '@', format('t.%I', a.attname))),
           ', ')
    into v_columns, v_values
    from pg_attribute a
    join pg_type y on y.oid = a.atttypid
   cross join lateral (select case y.typtype when 'd' then y.typbasetype else y.oid end) b (base)
   cross join lateral (
     -- Of text and bytea the length is known without reading all of it, and so is the beginning. A cast may be the
     -- code of whoever owns a type, and format asks for none.
     select case
              when a.attlen <> -1 then '0'
              when b.base in ('text'::regtype, 'varchar'::regtype) then 'octet_length(@::text)'
              when b.base = 'bytea'::regtype then 'octet_length(@)'
              else 'case when pg_column_size(@) > $3 then pg_column_size(@) else octet_length(format(''%s'', @)) end'
            end,
            case
              when b.base in ('text'::regtype, 'varchar'::regtype) then '@::text'
              when b.base = 'bytea'::regtype then 'substr(@, 1, $3 / 4)::text'
              else 'format(''%s'', @)'
            end
   ) k (size, beginning)
   where a.attrelid = case p_source when 'arcano.job' then 'arcano.job'::regclass else p_job.relid end
     and a.attnum > 0 and not a.attisdropped and a.attname <> 'arcano.unlike' and (p_columns is null or a.attname = any (p_columns));

  begin
    execute format(
      'select jsonb_object_agg(v.name, v.value), jsonb_object_agg(v.name, format(''the beginning of %%s bytes'', v.size)) filter (where v.size > $3) from %s t cross join lateral (values %s) v (name, size, value) where t.id = $1 and t.tableoid = $2',
      p_source, v_values)
      into v_row, v_unlike using p_job.id, p_job.relid, p_limit;
  exception
    when others or assert_failure then
      v_reason := sqlstate || ': ' || sqlerrm;
      v_row := '{}';
      if cardinality(v_columns) > 1 then
        v_unlike := '{}';
        for i in 1..cardinality(v_columns) loop
          v_part := arcano.columns_as_jsonb(p_source, p_job, p_limit, v_columns[i:i]);
          v_unlike := v_unlike || coalesce(v_part -> 'arcano.unlike', '{}');
          v_row := v_row || (v_part - 'arcano.unlike');
        end loop;
      else
        begin
          execute format('select to_jsonb(left(format(''%%s'', t.%I), $3 / 4)) from %s t where t.id = $1 and t.tableoid = $2', v_columns[1], p_source)
            into v_part using p_job.id, p_job.relid, p_limit;
          v_reason := 'as text: ' || v_reason;
        exception
          when others or assert_failure then
            v_reason := 'not read: ' || v_reason;
        end;
        v_row := jsonb_build_object(v_columns[1], v_part);
        v_unlike := jsonb_build_object(v_columns[1], v_reason);
      end if;
  end;
  return coalesce(v_row, '{}') || case when v_unlike <> '{}' then jsonb_build_object('arcano.unlike', v_unlike) else '{}' end;
end
$$;

comment on function arcano.columns_as_jsonb(text, arcano.job_ref, integer, name[]) is
  'Internal: the row of p_job in p_source (its table, or arcano.job), or p_columns of it, as jsonb: values of at most p_limit bytes, and why some are not as they were.';

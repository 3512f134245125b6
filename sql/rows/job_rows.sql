-- The whole rows of jobs as jsonb, with the columns that only their own table has. Dynamic, because those columns are
-- not known before. What cannot be read or locked in its own table (somebody else's,
-- or row level security forced on its owner) is asked for through arcano.job, and has the contract's columns.
--
-- Whatever a row holds: one that has a long value, or one that jsonb cannot hold, is read column by column
-- (columns_as_jsonb), and says what of it is not as it was.
--
-- With p_lock, it locks the rows and leaves out those that somebody else holds; tid is where each lies, and rel the table, or the
-- partition, in which that is.
create or replace function arcano.job_rows(p_jobs arcano.job_ref[], p_lock boolean)
returns table (job arcano.job_snapshot, tid tid, rel oid)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
-- A caller's settings must not change a letter of what the journal keeps, nor whether it can be read back.
set datestyle = iso
set intervalstyle = iso_8601
set extra_float_digits = 1
set timezone = 'UTC'
set bytea_output = hex
set lc_monetary = 'C'
set quote_all_identifiers = off
set row_security = on
as $$
declare
  v_table record;
  v_source text;
  v_row text;
  v_jobs arcano.job_snapshot[];
  v_tids tid[];
begin
  for v_table in
    select r.relid, array_agg(r.id) as ids, coalesce(max(s.journal_value_limit), 65536)::integer as value_limit,
           -- As far as is known without reading values that may lie elsewhere and be large; where none does, none is.
           case when pg_relation_size(nullif(c.reltoastrelid, 0)) > 0 then (
             select string_agg(
                      format(case when a.atttypid in ('text'::regtype, 'varchar'::regtype) then 'octet_length(t.%I) > $3'
                               else 'pg_column_size(t.%I) > $3' end, a.attname), ' or ')
               from pg_attribute a
              where a.attrelid = r.relid and a.attnum > 0 and not a.attisdropped and a.attlen = -1
           ) else 'false' end as is_long
      from unnest(p_jobs) r
      join pg_class c on c.oid = r.relid -- one that was dropped has no rows
      left join arcano.job_table s on s.job_table = r.relid
     where (arcano.generated_has_tables() and arcano.is_mapped(r.relid)) is not true -- mapped_job_rows has those
     group by r.relid, c.reltoastrelid
  loop
    foreach v_source in array array[format('only %s', v_table.relid::regclass), 'arcano.job'] loop
      foreach v_row in array array[format('case when (%s) is not true then to_jsonb(t.*) end', v_table.is_long), 'null::jsonb'] loop
        continue when v_source = 'arcano.job' and v_row <> 'null::jsonb';
        begin
          execute format(
            'select array_agg((l.relid, l.id, l.user_id, l.job)::arcano.job_snapshot), array_agg(l.tid) from (select t.tableoid as relid, t.id, t.user_id, %s as job, t.ctid as tid from %s t where t.id = any ($1) and t.tableoid = $2 and $3 > 0 %s) l',
            v_row, v_source, case when p_lock then 'for update skip locked' end)
            into v_jobs, v_tids using v_table.ids, v_table.relid, v_table.value_limit;
          exit;
        exception
          when insufficient_privilege then
            v_jobs := null;
            exit;
          when lock_not_available or transaction_rollback or read_only_sql_transaction then
            raise;
          when others or assert_failure then
            if v_row = 'null::jsonb' then
              raise;
            end if;
        end;
      end loop;
      continue when v_jobs is null;
      return query
        select (u.relid, u.id, u.user_id,
                 case when pg_column_size(u.job) <= v_table.value_limit and not u.job ? 'arcano.unlike' then u.job
                   else arcano.columns_as_jsonb(v_source, (u.relid, u.id)::arcano.job_ref, v_table.value_limit) end
               )::arcano.job_snapshot, u.tid, u.relid
          from unnest(v_jobs, v_tids) u (relid, id, user_id, job, tid);
      exit when cardinality(v_jobs) = cardinality(v_table.ids);
      v_table.ids := array(select i.id from unnest(v_table.ids) i (id) where i.id <> all (array(select u.id from unnest(v_jobs) u)));
    end loop;
  end loop;
  if arcano.generated_has_tables() then
    return query select m.job, m.tid, m.rel from arcano.mapped_job_rows(p_jobs, p_lock) m;
  end if;
end
$$;

comment on function arcano.job_rows(arcano.job_ref[], boolean) is
  'Internal: the rows of p_jobs, those that are there, with all columns of their tables. p_lock: lock them, and leave out what others hold.';

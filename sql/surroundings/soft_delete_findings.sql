-- A row that the app calls deleted is a row all the same: an open job in it blocks its user.
--
-- Dynamic, because the column is the app's own.
create or replace function arcano.soft_delete_findings(p_table regclass, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_column record;
  v_jobs bigint;
begin
  for v_column in
    select a.attname, case when a.atttypid = 'boolean'::regtype then format('j.%I', a.attname) else format('j.%I is not null', a.attname) end as is_deleted
      from pg_attribute a
     where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
       and lower(replace(a.attname, '_', '')) ~ '^(is)?(soft)?(deleted|removed|discarded|archived|trashed|hidden)(at|on|date|time)?$'
       and (a.atttypid in ('boolean'::regtype, 'timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype))
     order by a.attnum
  loop
    execute format('select count(*) from only %s j where %s and arcano.is_open(j.status)', p_table, v_column.is_deleted) into v_jobs;
    level := case when v_jobs > 0 then 'warning' else 'note' end;
    finding := 'rows that are called deleted';
    detail := format('%I says that a row is deleted; %s of them are open, and block their users', v_column.attname, v_jobs);
    hint := case when v_jobs > 0 then format('update %s j set status = ''cancelled'' where %s and j.status = any (%L); -- and let the app end what it deletes', p_table, v_column.is_deleted, arcano.waiting_statuses() || arcano.working_statuses())
      else 'Let the app end what it deletes, such as by cancel_job.' end;
    return next;
  end loop;
end
$$;

comment on function arcano.soft_delete_findings(regclass) is
  'Internal: columns by which rows of p_table count as deleted, and how many of those are open jobs. Reads all of p_table.';

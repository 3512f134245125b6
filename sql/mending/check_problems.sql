-- Whether check constraints on status alone allow what the package writes there. One that reads other columns too depends on the row:
-- it is tried with one. Asking runs code of the owner.
--
-- Dynamic, because the check is the app's own.
create or replace function arcano.check_problems(p_table regclass, out problem text, out mend text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_check record;
  v_refused text[];
begin
  for v_check in
    select x.conname, pg_get_expr(x.conbin, x.conrelid) as expression, x.convalidated
      from pg_constraint x
      join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'status'
     where x.conrelid = p_table and x.contype = 'c' and x.conkey = array[a.attnum]
       and a.atttypid in ('text'::regtype, 'varchar'::regtype)
       and to_jsonb(x) ->> 'conenforced' is distinct from 'false' -- PostgreSQL 18 knows some that are not
     order by x.conname
  loop
    execute format('select array_agg(t.status order by t.place) from unnest($1) with ordinality t (status, place) where not (%s)', v_check.expression)
      into v_refused using arcano.written_statuses();
    if v_refused is not null then
      problem := format('check constraint %I does not allow the status %s', v_check.conname, array_to_string(v_refused, ', '));
      mend := format('alter table %1$s drop constraint %2$I, add constraint %2$I check ((%3$s) or status = any (%4$L)) not valid;%5$s',
        p_table, v_check.conname, v_check.expression, v_refused,
        case when v_check.convalidated then format(' alter table %s validate constraint %I; -- reads the table once, while it is used', p_table, v_check.conname) end);
      return next;
    end if;
  end loop;
end
$$;

comment on function arcano.check_problems(regclass) is
  'Internal: which statuses that the package writes a check constraint of p_table does not allow, and the statements that would mend it.';

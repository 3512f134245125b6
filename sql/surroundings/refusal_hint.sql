-- What would let a write of the package through that the app's own code refused.
create or replace function arcano.refusal_hint(p_table regclass, p_call text, p_errcode text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    -- Names without a schema are not found with the search_path of the package's functions.
    when p_errcode in ('42P01', '42883', '42704', '3F000') then (
      select string_agg(format('alter function %s set search_path = %s;', t.tgfoid::regprocedure, s.path), e'\n' order by t.tgname)
             || ' -- or name its schema in its body'
        from pg_trigger t
        join pg_proc f on f.oid = t.tgfoid
       cross join lateral (
         select string_agg(distinct quote_ident(n.nspname), ', ') || ', pg_temp'
           from pg_namespace n where n.oid in (f.pronamespace, (select c.relnamespace from pg_class c where c.oid = p_table))
       ) s (path)
       where t.tgrelid = p_table and not t.tgisinternal and not coalesce(f.proconfig::text ~ 'search_path=', false))
    when p_errcode = '23502' then 'Give the column a default, or a value in p_data of create_job.'
    when p_errcode = '23505' then 'Another row has the same value: that says nothing of the package, and what comes after it was not tried.'
    when p_errcode = '23514' then format('Let the check constraint allow what the package writes: %s.', array_to_string(arcano.written_statuses(), ', '))
    when p_errcode in ('25000', '25006') then 'Ask in a read committed transaction that may write.'
    when p_errcode = '42501' then format('The package''s functions run as %s: let its rights, and the policies of the table, allow that.', (
      select c.relowner::regrole from pg_class c where c.oid = 'arcano.job'::regclass))
    when p_call ~ '^cancel_job' then 'A ghost would block nobody, but stay as it is, and each sweep journal an error. Let the app''s trigger allow the status cancelled.'
    else format('Let the app''s own trigger or constraint allow it. Who does not use %s is not concerned.', p_call)
  end;
end
$$;

comment on function arcano.refusal_hint(regclass, text, text) is
  'Internal: what to do where p_table refuses a write of p_call with p_errcode.';

-- The one way to say that a table is not attached: nor is one that is half attached, because attaching or detaching it
-- was interrupted. It needs both, its settings and the inheritance.
create or replace function arcano.refuse_unattached(p_table regclass)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_has_settings constant boolean := exists (select from arcano.job_table s where s.job_table = p_table);
  v_inherits constant boolean := exists (
    select from pg_inherits h where h.inhrelid = p_table and h.inhparent = 'arcano.job'::regclass);
  v_is_other constant boolean := exists (select from arcano.job_table s where s.name = arcano.table_name(p_table) and s.job_table <> p_table);
  v_is_gone constant boolean := not exists (select from pg_class c where c.oid = p_table);
begin
  if arcano.is_mapped(p_table) then
    raise exception '% is mapped, and not attached', p_table
      using errcode = 'undefined_object',
        detail = 'The queue, slots, claims, start, finish and signs of life need columns that a mapped table does not have: the app writes its own.',
        hint = format('arcano-db unmap %s; arcano-db attach %1$s', p_table);
  end if;
  raise exception '% is not attached', coalesce(p_table::text, 'null')
    using errcode = 'undefined_object',
      detail = case
        when v_is_other then 'It has taken the place of a table that was, and nobody is protected in it.'
        when v_has_settings and v_is_gone then 'There is no such table any more; its settings were left behind.'
        when v_has_settings or v_inherits then format(
          'It is half attached: attaching or detaching it goes on, or was interrupted. It %s.',
          case when v_has_settings then 'has its settings, but does not inherit arcano.job'
            else 'inherits arcano.job, but has no settings' end)
        else coalesce(
          (select 'Attached: ' || string_agg(s.job_table::text, ', ' order by s.job_table::text)
             from arcano.job_table s
             join pg_inherits h on h.inhrelid = s.job_table and h.inhparent = 'arcano.job'::regclass),
          'No table is attached.')
      end,
      hint = case
        when v_is_other then format('arcano-db attach %s --again', p_table)
        when v_has_settings and v_is_gone then format(
          'delete from arcano.job_table where job_table = %L::regclass;', p_table::oid::text)
        when v_has_settings or v_inherits then format('To finish it: arcano-db attach %s -- or detach', p_table)
        else 'Name an attached table with its schema.'
      end;
end
$$;

comment on function arcano.refuse_unattached(regclass) is
  'Internal: raises that p_table is not attached, or half attached, and which are attached.';

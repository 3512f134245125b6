-- What to say of jobs whose status the contract does not know: such a job blocks nobody.
create or replace function arcano.unknown_status(
  p_table regclass,
  p_status text,
  p_jobs bigint,
  out level text,
  out detail text,
  out hint text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_meant constant text := arcano.guess_status(p_status);
begin
  if arcano.is_open(p_status) or p_status = any (arcano.ended_statuses()) then
    return;
  end if;
  -- A word for an end is harmless, because an ended job blocks nobody either.
  level := case when v_meant = any (arcano.ended_statuses()) then 'note' else 'warning' end;
  detail := format('%s jobs have the status %s, which blocks nobody', p_jobs, coalesce(p_status, 'null'));
  hint := case
    when v_meant is not null and not exists (select from pg_inherits i where i.inhrelid = p_table and i.inhparent = 'arcano.job'::regclass) then
      format('arcano-db map %s --check -- which reads the words of the app as they are; to attach it, the app has to write %s', p_table, v_meant)
    when v_meant is not null then
      format('update %s set status = %L where status = %L; -- once the app writes it so', p_table, v_meant, p_status)
    else
      format('If such a job waits or is worked on, let the app write one of %s.',
        array_to_string(arcano.waiting_statuses() || arcano.working_statuses(), ', '))
  end;
end
$$;

comment on function arcano.unknown_status(regclass, text, bigint) is
  'Internal: what is wrong with p_jobs jobs of p_table having p_status; null: the contract knows it.';

-- What an end writes to a row of a mapped table: the app's own word, when it ended, and why ($4), where it has columns for that.
-- Each value is cast to the type of its column: a word becomes a value of an enum or a number, and what is too long is cut.
create or replace function arcano.mapped_assignments(p_mapping arcano.mapping, p_status text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select string_agg(format('%I = %s', a.attname, case w.name
             when 'status' then format('%L::%s', p_mapping.writes ->> p_status, format_type(a.atttypid, a.atttypmod))
             when 'completed_at' then
               case when arcano.base_type(a.atttypid) = 'timestamp'::regtype then format('now() at time zone %L', p_mapping.time_zone)
                 else format('now()::%s', format_type(a.atttypid, a.atttypmod)) end
             else format('$4::%s', format_type(a.atttypid, a.atttypmod)) end), ', ')
      from (values ('status'), ('completed_at'), ('error_message')) w (name)
      join pg_attribute a
        on a.attrelid = p_mapping.relid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and a.attname = coalesce(p_mapping.columns ->> w.name, w.name) and arcano.mapped_expression(p_mapping, w.name) is not null
  );
end
$$;

comment on function arcano.mapped_assignments(arcano.mapping, text) is
  'Internal: the assignments that give a row of the table of p_mapping the status p_status.';

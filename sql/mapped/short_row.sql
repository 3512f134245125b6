-- A row as the journal keeps it: of a value that is longer than the limit only its beginning, and which those are.
create or replace function arcano.short_row(p_row jsonb, p_limit integer)
returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_long text[];
begin
  if pg_column_size(p_row) <= p_limit then
    return p_row;
  end if;
  select array_agg(k.key) into v_long from jsonb_each_text(p_row) k where octet_length(k.value) > p_limit;
  if v_long is null then
    return p_row;
  end if;
  return p_row
    || (select jsonb_object_agg(l, left(p_row ->> l, p_limit / 4)) from unnest(v_long) l)
    || jsonb_build_object('arcano.unlike', (select jsonb_object_agg(l, 'cut') from unnest(v_long) l));
end
$$;

comment on function arcano.short_row(jsonb, integer) is
  'Internal: p_row, with values of more than p_limit bytes cut, and named under arcano.unlike.';

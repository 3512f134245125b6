-- Whether a term, and the time away in it, ends in a time in which nobody is known to have been served.
create or replace function arcano.ends_in_unknown(p_at timestamptz, p_since timestamptz)
returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_at constant timestamptz := arcano.later_by_away(p_at, p_since);
begin
  return arcano.later_by_unknown(v_at) > v_at;
end
$$;

comment on function arcano.ends_in_unknown(timestamptz, timestamptz) is
  'Internal: whether the term that began at p_since and would end at p_at ends when nobody is known to have been served.';

-- How long a term of p_term is that began at p_since, since time in which nobody could reach the database does not count.
-- Inlined into what uses it.
create or replace function arcano.longer_by_away(p_term interval, p_since timestamptz)
returns interval
language sql stable
return case
  when isfinite(p_since) then arcano.plain_seconds(arcano.later_by_away(p_since + p_term, p_since) - p_since)
  else p_term
end;

comment on function arcano.longer_by_away(interval, timestamptz) is
  'Internal: p_term, from p_since on, and the time in it in which nobody could reach the database.';

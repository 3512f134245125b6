-- How old something is, for a monitor: a number that every monitor takes, also of a date that lies ahead or has no end.
create or replace function arcano.age_in_seconds(p_since timestamptz)
returns numeric
language sql stable
return case when p_since is null then 0 else greatest(least(extract(epoch from now()) - extract(epoch from p_since), 1e10), 0) end;

comment on function arcano.age_in_seconds(timestamptz) is
  'Internal: the seconds since p_since, from 0 to 10,000,000,000; 0 if it is null.';

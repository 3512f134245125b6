-- An id may come again after its row was deleted, as where a sequence begins anew: what was noted before a row was made
-- is about an older row. Where the row says that it is yet to be made, nobody can know.
create or replace function arcano.is_about(p_noted_at timestamptz, p_created_at timestamptz)
returns boolean
language sql stable parallel safe
return (p_noted_at < p_created_at and p_created_at <= now()) is not true;

comment on function arcano.is_about(timestamptz, timestamptz) is
  'Internal: whether what was noted at p_noted_at under the table and id of a job is about the row that was made at p_created_at. Null, where nobody can know: true.';

-- When a job was made, by its row as the journal keeps it: one of a mapped table has the app's own names.
create or replace function arcano.made_at(p_row jsonb)
returns timestamptz
language sql stable parallel safe
return coalesce(p_row ->> 'arcano.created_at', p_row ->> 'created_at')::timestamptz;

comment on function arcano.made_at(jsonb) is
  'Internal: created_at of a job, by p_row, its row as the journal keeps it.';

-- A text that a row had, as its entry of the journal keeps it: one that was cut there says so, wherever it is written back.
create or replace function arcano.kept_text(p_job_before jsonb, p_column text)
returns text
language sql stable parallel safe
return p_job_before ->> p_column || coalesce(' ... (' || (p_job_before -> 'arcano.unlike' ->> p_column) || ')', '');

comment on function arcano.kept_text(jsonb, text) is
  'Internal: the text of p_column in p_job_before, an entry''s row, with what the journal says of it if it is not whole.';

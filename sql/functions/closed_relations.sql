-- What nobody but the package's own functions may use. A job table's grants and row level security do not apply to a
-- query on its parent, and who holds arcano.lock stops every call.
create or replace function arcano.closed_relations()
returns regclass[]
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select array['arcano.job', 'arcano.judged_job', 'arcano.open_job', 'arcano.lock']::regclass[]
$$;

comment on function arcano.closed_relations() is
  'Internal: the relations that no role may be granted anything on.';

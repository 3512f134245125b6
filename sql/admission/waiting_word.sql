-- The app's word for a new job: the one that is written for queued, or else for what waits otherwise.
create or replace function arcano.waiting_word(p_mapping arcano.mapping)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p_mapping.writes ->> w.status
    from unnest(arcano.waiting_statuses()) w (status)
   where p_mapping.writes ? w.status
   order by w.status = 'queued' desc
   limit 1
$$;

comment on function arcano.waiting_word(arcano.mapping) is
  'Internal: the word of the table of p_mapping that a new job has; null: none is known.';

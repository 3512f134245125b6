-- What map_job_table is probably to be called with for a table, from its names, types and words; what cannot be guessed is left out:
-- map_problems says what is missing. It decides nothing.
create or replace function arcano.guess_mapping(
  p_table text,
  out columns jsonb,
  out statuses jsonb,
  out writes jsonb,
  out time_zone text,
  out unknown_words text[],
  out known_statuses text[]
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
begin
  known_statuses := arcano.waiting_statuses() || arcano.working_statuses() || arcano.ended_statuses();
  m.relid := to_regclass(p_table);
  m.name := arcano.table_name(m.relid);
  select jsonb_object_agg(k.attname, g.name) filter (where g.name <> k.attname) into columns
    from pg_attribute k
   cross join lateral (select arcano.guess_column(m.relid, k.attname::text)) g (name)
   where k.attrelid = 'arcano.job'::regclass and k.attnum > 0;
  columns := coalesce(columns, '{}');
  m.columns := columns;
  statuses := '{}';
  writes := '{}';
  if arcano.mapped_expression(m, 'status') is not null then
    select coalesce(jsonb_object_agg(w.word, s.meant) filter (where s.meant is not null), '{}'),
           array_agg(w.word) filter (where s.meant is null)
      into statuses, unknown_words
      from unnest(arcano.words_of_table(m)) w (word)
     cross join lateral (
       select case when lower(w.word) = any (known_statuses) then lower(w.word)
                else arcano.guess_status(w.word) end
     ) s (meant);
    -- Of several words for one thing, that which is called as the contract calls it, or else the first.
    select coalesce(jsonb_object_agg(d.value, d.word), '{}') into writes
      from (
        select s.value, (array_agg(s.key order by lower(s.key) = s.value desc, s.key))[1] as word
          from jsonb_each_text(statuses) s
         group by s.value
        having count(*) > 1
      ) d;
  end if;
  if exists (
    select
      from pg_attribute a
     where a.attrelid = m.relid and a.atttypid = 'timestamp'::regtype and not a.attisdropped
       and a.attname in (select coalesce(columns ->> c.name, c.name) from unnest(array['created_at', 'started_at', 'completed_at', 'heartbeat_at']) c (name))
  ) then
    time_zone := 'UTC';
  end if;
end
$$;

comment on function arcano.guess_mapping(text) is
  'What map_job_table is probably to be called with for p_table: its p_columns, p_statuses, p_writes and p_time_zone, and words of its status of which nobody can guess what they mean (unknown_words; null: none), which may be any of known_statuses. Changes nothing.';

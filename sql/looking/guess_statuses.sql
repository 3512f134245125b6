-- What the words of an app probably mean, as p_statuses of map_job_table has them. A word that nobody can guess is left out.
create or replace function arcano.guess_statuses(p_words text[])
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_object_agg(w.word, s.meant) filter (where s.meant is not null), '{}')
      from unnest(p_words) w (word)
     cross join lateral (
       select case when lower(w.word) = any (arcano.waiting_statuses() || arcano.working_statuses() || arcano.ended_statuses()) then lower(w.word)
                else arcano.guess_status(w.word) end
     ) s (meant)
  );
end
$$;

comment on function arcano.guess_statuses(text[]) is
  'Internal: what p_words probably mean, without those that nobody can guess.';

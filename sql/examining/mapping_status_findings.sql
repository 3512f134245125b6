-- What is wrong with the words of a mapping: those that mean nothing that the contract knows, that the column cannot hold or
-- spells otherwise, that nobody can write because several mean the same, and those of the table that it leaves out, which block nobody.
create or replace function arcano.mapping_status_findings(p_mapping arcano.mapping, out level text, out finding text, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_known constant text[] := arcano.waiting_statuses() || arcano.working_statuses() || arcano.ended_statuses();
  v_words constant text[] := arcano.words_of_table(p_mapping);
begin
  if not exists (select from jsonb_each_text(p_mapping.statuses) s where arcano.is_open(s.value)) then
    return query select 'error', 'p_statuses', 'no word of it waits or is worked on, and so no job would block anybody', (
      select format('p_statuses => %L', jsonb_object_agg(w.word, coalesce(case when w.word = any (v_known) then w.word end, arcano.guess_status(w.word), '?')))
        from unnest(coalesce(nullif(v_words, '{}'), array['PENDING', 'RUNNING', 'DONE', 'FAILED', 'CANCELED'])) w (word));
    return;
  end if;
  return query
    select 'error', 'p_statuses', format('%s is not a status: %s means it', coalesce(s.value, 'null'), s.key), format('They are %s.', array_to_string(v_known, ', '))
      from jsonb_each_text(p_mapping.statuses) s
     where (s.value = any (v_known)) is not true;
  return query
    select 'error', 'p_writes', format('%s is written for %s, and means %s', w.value, w.key, coalesce(p_mapping.statuses ->> w.value, 'nothing')),
           'A word that is written must mean that in p_statuses; for an end without a word of its own, it may be that of another end.'
      from jsonb_each_text(p_mapping.writes) w
     cross join lateral (select p_mapping.statuses ->> w.value) s (meant)
     where s.meant is distinct from w.key
       and (s.meant = any (arcano.ended_statuses()) and w.key = any (arcano.ended_statuses())) is not true;
  return query
    select 'note', 'p_writes', format('a job that is %s is written as %s, and then reads as %s', w.key, w.value, s.meant), null::text
      from jsonb_each_text(p_mapping.writes) w
     cross join lateral (select p_mapping.statuses ->> w.value) s (meant)
     where s.meant <> w.key and s.meant = any (arcano.ended_statuses());
  if not p_mapping.writes ? 'cancelled' then
    return query select 'error', 'p_writes', 'no word is known to be written for cancelled, and so no ghost could be ended', (
      select case when count(*) = 0 then 'Name the app''s word for a job that was cancelled in p_statuses, such as {"CANCELED": "cancelled"}, or write it as failed: p_writes => ' || quote_literal(jsonb_build_object('cancelled', coalesce((select min(f.key) from jsonb_each_text(p_mapping.statuses) f where f.value = 'failed'), 'ERROR')))
               else format('Say which: p_writes => %L', jsonb_build_object('cancelled', min(s.key))) end
        from jsonb_each_text(p_mapping.statuses) s where s.value = 'cancelled');
  end if;
  return query
    select 'error', 'p_statuses', format('%s is no value of the column: %s', w.word, p.problem), format('Its values: %s', array_to_string(v_words, ', '))
      from jsonb_object_keys(p_mapping.statuses) w (word)
     cross join lateral arcano.mapping_spelling(p_mapping, w.word) p
     where p.problem is not null;
  return query
    select 'error', 'p_statuses', format('the column spells %s as %s: a job of it would be found, and read as of no status', to_jsonb(w.word), to_jsonb(p.spelled)),
           format('Spell it so: p_statuses => %L', jsonb_build_object(p.spelled, p_mapping.statuses -> w.word))
      from jsonb_object_keys(p_mapping.statuses) w (word)
     cross join lateral arcano.mapping_spelling(p_mapping, w.word) p
     where p.spelled <> w.word;
  if not exists (select from jsonb_each_text(p_mapping.statuses) s where arcano.is_waiting(s.value)) then
    return query select 'warning', 'p_statuses', 'no word of it waits, and so no job can be a ghost', 'Which one does a job have that nobody has begun? Such as {"PENDING": "queued"}.';
  end if;
  return query
    select 'warning', 'a word that is not mapped', format('jobs of the status %s block nobody', w.word),
           format('Say what it means in p_statuses, such as %s.', jsonb_build_object(w.word, coalesce(arcano.guess_status(w.word), 'running')))
      from unnest(v_words) w (word)
     where not p_mapping.statuses ? w.word;
end
$$;

comment on function arcano.mapping_status_findings(arcano.mapping) is
  'Internal: what is wrong with the words of p_mapping, and which of its table''s it leaves out.';

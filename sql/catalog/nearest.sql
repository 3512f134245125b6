-- The word that somebody probably meant: the one that shares the most pairs of letters. For advice alone.
create or replace function arcano.nearest(p_word text, p_words text[])
returns text
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return (
  select w.word
    from unnest(p_words) w (word)
   cross join lateral (
     select count(*) as pairs
       from generate_series(1, length(w.word) - 1) i
      where strpos(lower(p_word), lower(substr(w.word, i, 2))) > 0
   ) s
   where s.pairs::numeric / greatest(length(w.word), length(p_word)) > 0.3
   order by s.pairs::numeric / greatest(length(w.word), length(p_word)) desc, w.word
   limit 1);

comment on function arcano.nearest(text, text[]) is
  'Internal: which of p_words is the most like p_word; null: none is.';

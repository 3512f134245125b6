-- The statement that makes the index by which a user's open jobs are found, and all open ones.
create or replace function arcano.open_jobs_index(p_table text, p_user_id text, p_status text, p_words text[])
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return format('create index %son %s (%I%s)%s;', arcano.concurrently(p_table), p_table, p_user_id, case when p_words = '{}' then format(', %I', p_status) end, (
    select format(' where %I in (%s)', p_status, string_agg(quote_literal(w.word), ', ' order by w.word)) from unnest(p_words) w (word) having count(*) > 0));
end
$$;

comment on function arcano.open_jobs_index(text, text, text, text[]) is
  'Internal: the statement that indexes the open jobs of p_table, whose status has one of p_words; none: they are not known.';

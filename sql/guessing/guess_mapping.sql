-- What map_job_table is probably to be called with for a table, from its names, types and words; what cannot be guessed is left out:
-- map_problems says what is missing. Of one that is mapped, that is how it is mapped, and what is new. It decides nothing.
create or replace function arcano.guess_mapping(
  p_table text,
  p_columns jsonb default '{}',
  out columns jsonb,
  out statuses jsonb,
  out writes jsonb,
  out time_zone text,
  out unknown_words text[],
  out known_statuses text[],
  out unknown_columns text[],
  out table_columns text[]
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
  v_mapped arcano.mapping;
  v_may_read boolean;
begin
  known_statuses := arcano.waiting_statuses() || arcano.working_statuses() || arcano.ended_statuses();
  m.relid := arcano.relation_of(p_table);
  m.name := arcano.table_name(m.relid);
  columns := arcano.guess_columns(m.relid, array(
    select k.attname::text from pg_attribute k where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped));
  select x.* into v_mapped from arcano.mapping x where x.name = m.name or x.relid = m.relid order by x.name = m.name desc limit 1;
  columns := coalesce(v_mapped.columns, columns) || coalesce(p_columns, '{}');
  unknown_columns := array(
    select k.name from unnest(array['id', 'user_id', 'status', 'created_at']) k (name)
     where not columns ? k.name and arcano.guess_column(m.relid, k.name) is null);
  table_columns := array(
    select a.attname::text from pg_attribute a where a.attrelid = m.relid and a.attnum > 0 and not a.attisdropped order by a.attnum);
  m.columns := columns;
  statuses := '{}';
  writes := '{}';
  -- A view's own code, or that of a weaker role, would run as it is read.
  v_may_read := has_table_privilege(m.relid, 'select')
    and exists (select from pg_class c where c.oid = m.relid and c.relkind in ('r', 'p') and has_schema_privilege(c.relnamespace, 'usage'))
    and (arcano.is_told('trust_owner') or (select w.owner from arcano.weaker_owner(m.relid) w) is null);
  if v_may_read and arcano.mapped_expression(m, 'status') is not null
  then
    unknown_words := array(select w.word from unnest(arcano.words_of_table(m)) w (word) where (v_mapped.statuses ? w.word) is not true);
    statuses := arcano.guess_statuses(unknown_words);
    unknown_words := nullif(array(select w.word from unnest(unknown_words) w (word) where not statuses ? w.word), '{}');
    statuses := statuses || coalesce(v_mapped.statuses, '{}');
    if statuses = '{}' and unknown_words is null then -- an empty table, of which nothing says its words
      statuses := arcano.guess_statuses(known_statuses);
    end if;
    writes := arcano.guess_writes(statuses);
    -- Any word can be written there, and none of those that are there would do.
    if 'cancelled' <> all (array(select s.value from jsonb_each_text(statuses) s)) and not writes ? 'cancelled'
      and unknown_words is null and arcano.has_free_words(m)
    then
      statuses := statuses || '{"cancelled": "cancelled"}';
    end if;
    writes := writes || coalesce((
      select jsonb_object_agg(w.key, w.value) from jsonb_each(v_mapped.writes) w where writes ? w.key or v_mapped.statuses ->> (w.value #>> '{}') <> w.key), '{}');
  end if;
  time_zone := coalesce(v_mapped.time_zone, case when v_may_read then arcano.guess_time_zone(m) end, arcano.guess_zone(m.relid, columns));
end
$$;

comment on function arcano.guess_mapping(text, jsonb) is
  'What map_job_table is probably to be called with for p_table: its p_columns (those given stay as they are, and of a mapped table those it has), p_statuses, p_writes and p_time_zone; and what nobody can guess: words of its status (unknown_words; null: none), which may mean any of known_statuses, and columns (unknown_columns), which may be any of table_columns. Changes nothing.';

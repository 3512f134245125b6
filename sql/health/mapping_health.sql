-- What can be wrong with mapped tables: one that cannot be read as it is mapped, and words that the app has added since.
create or replace function arcano.mapping_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select w.level, w.finding, w.detail, w.hint
      from arcano.mapping_state() s
     cross join lateral (
       select 'error', 'mapped tables', s.problem, s.mend where s.problem is not null
        union all
       select 'warning', 'mapped words', format('%s: jobs of the status %s block nobody: it is not in p_statuses', s.job_table, u.word),
              format('arcano-db map %s -- anew, with %s', s.job_table, u.word)
         from unnest(s.unknown_words) u (word)
     ) w (level, finding, detail, hint);
end
$$;

comment on function arcano.mapping_health() is
  'Internal: what check_health says of the mapped tables.';

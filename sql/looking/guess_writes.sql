-- Which word is probably written where several mean the same, as p_writes of map_job_table has it: that which is called as the contract
-- calls it, or else the first. Where none means cancelled, that of a failure, if there is one alone.
create or replace function arcano.guess_writes(p_statuses jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce((
    select jsonb_object_agg(d.value, d.word)
      from (
        select s.value, (array_agg(s.key order by lower(s.key) = s.value desc, s.key))[1] as word
          from jsonb_each_text(p_statuses) s
         group by s.value
        having count(*) > 1
      ) d
  ), '{}') || coalesce((
    select jsonb_build_object('cancelled', min(s.key) filter (where s.value = 'failed'))
      from jsonb_each_text(p_statuses) s
    having count(*) filter (where s.value = 'failed') = 1 and count(*) filter (where s.value = 'cancelled') = 0
  ), '{}');
end
$$;

comment on function arcano.guess_writes(jsonb) is
  'Internal: the words that are probably written, where p_statuses says what an app''s words mean.';

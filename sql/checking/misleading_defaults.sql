-- Column defaults that say something untrue of every new job, such as that it was charged.
create or replace function arcano.misleading_defaults(
  p_table regclass,
  out level text,
  out detail text,
  out hint text
)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select l.level, format('%I has the default %s: %s', a.attname, d.value, l.lie), l.hint
      from pg_attribute a
      join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
     cross join lateral (
       select regexp_replace(pg_get_expr(f.adbin, f.adrelid), '^([^()]+)::[^()'']+$', '\1'),
              case when a.attnotnull then format('alter table %1$s alter column %2$I drop not null, alter column %2$I drop default; -- new jobs have null there: your models have to take that', p_table, a.attname)
                else format('alter table %s alter column %I drop default;', p_table, a.attname) end
     ) d (value, dropped)
     cross join lateral (
       values
         ('user_credit_cost', 'warning', d.value !~ '^''?[-0]' and not exists (
             select from pg_attribute c
              where c.attrelid = p_table and c.attname = 'credits_charged' and c.atthasdef and not c.attisdropped),
           'a job that nobody charged counts as charged, and is never an orphan',
           format('alter table %s add column if not exists credits_charged boolean, alter column credits_charged set default false; -- only once the app writes true when it charges: else what it charged counts as not charged', p_table)),
         ('credits_charged', 'warning', d.value = 'true',
           'every job counts as charged, and is never an orphan', d.dropped),
         ('position', 'warning', d.value !~ '^([(]?''?(0|-[0-9]+)''?[)]?|NULL)$',
           'every job counts as one that is in the line, and is never an orphan', d.dropped),
         ('position', 'ok', d.value ~ '^[(]?''?(0|-[0-9]+)''?[)]?$', 'the rule takes it as no place at all', null),
         ('waited_in_queue', 'warning', d.value = 'true',
           'every job counts as one that is in the line, and is never an orphan', d.dropped),
         ('orphan_exempt', 'warning', d.value = 'true', 'the rule leaves every job alone', d.dropped),
         ('started_at', 'warning', d.value <> 'NULL', 'every job counts as started, and is never an orphan', d.dropped),
         ('task_id', 'warning', d.value <> 'NULL', 'every job counts as the provider''s, and is never an orphan', d.dropped),
         ('status', 'warning', arcano.is_open(trim(d.value, '''')) is not true,
           'a job that says nothing blocks nobody',
           case when arcano.guess_status(trim(d.value, '''')) is not null then format('arcano-db map %s --check -- which reads the words of the app as they are', p_table)
             else '-- let the app write queued for a job that waits' end)
     ) l (attname, level, holds, lie, hint)
     where a.attrelid = p_table and not a.attisdropped and a.attgenerated = ''
       and a.attname = l.attname and l.holds;
end
$$;

comment on function arcano.misleading_defaults(regclass) is
  'Internal: the defaults of contract columns of p_table that the rule reads as a sign of life, or else as what they are not.';

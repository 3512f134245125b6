-- The settings of a table that may be changed, and which values each may have: as their columns and those' constraints say.
create or replace function arcano.known_settings()
returns table (name text, may_be text)
language sql stable
set search_path = pg_catalog, pg_temp
begin atomic
  select a.attname::text,
         case
           when a.atttypid = 'interval'::regtype then 'a time such as 10 minutes'
           when a.attname = 'user_columns' then 'a list of columns of the table'
           when w.words is not null and a.atttypid = 'text[]'::regtype then 'a list of ' || w.words
           when w.words is not null then w.words
           when c.bounds is not null then 'a number: ' || c.bounds
           when a.attname = 'id_form' then 'a regular expression such as [0-9a-f]{32}'
           else 'a text'
         end
         || case when a.attnotnull then '' else ', or null' end
    from pg_attribute a
   cross join lateral (
     select string_agg(pg_get_expr(x.conbin, x.conrelid), ' ') as condition
       from pg_constraint x
      where x.conrelid = a.attrelid and x.contype = 'c' and x.conkey = array[a.attnum]
   ) x
   cross join lateral (select string_agg(m[1], ', ') as words from regexp_matches(x.condition, '''(\w+)''::text', 'g') m) w
   cross join lateral (select lower(regexp_replace(x.condition, '::\w+|[()'']', '', 'g')) as bounds) c
   where a.attrelid = 'arcano.job_table'::regclass and a.attnum > 0 and not a.attisdropped
     and a.attname not in ('job_table', 'name', 'attached_at', 'enforced_since', 'breaker_tripped_at', 'added_columns')
   order by a.attnum;
end;

comment on function arcano.known_settings() is
  'Internal: the settings of a table that set_job_table may change, and what each may be.';

-- What can be wrong with mapped tables: one that cannot be read, or is read twice, whose code runs, words that have changed.
create or replace function arcano.mapping_health()
returns table (level text, finding text, detail text, hint text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
  s record;
begin
  if not arcano.generated_has_tables() then
    return;
  end if;
  for s in select t.* from arcano.mapping_state() t loop
    if s.problem is not null then
      return query select 'error', 'mapped tables', s.problem, s.mend;
    end if;
    continue when s.unknown_words is null; -- it cannot be read
    select x.* into m from arcano.mapping x where x.name = s.job_table;
    return query
      select 'error', 'mapped tables', format('%s is read through %s, which is %s as well: its jobs count twice', m.name, arcano.table_name(r.relid), k.kind), format('arcano-db unmap %s', m.name)
        from arcano.table_relatives(m.relid) r
       cross join lateral (
         select 'mapped' where arcano.is_mapped(r.relid) union all
         select 'attached' from pg_inherits i where i.inhrelid = r.relid and i.inhparent = 'arcano.job'::regclass
       ) k (kind)
       where not r.is_below or k.kind = 'attached';
    return query
      select case when arcano.is_told('trust_owner') then 'note' else 'warning' end, 'owners', format('%s: %s', m.name, t.problem),
             format('%s -- or, if %s may do all that %s may, as a superuser: alter database %I set arcano.trust_owner = on;', t.mend, t.role, t.runner, current_database())
        from arcano.mapping_trust(m.relid, m.code) t;
    return query
      select 'error', 'mapped words', format('%s: %s, which is written for %s, is no value any more, and so %s', m.name, w.value, w.key, case w.key when 'cancelled' then 'no ghost can be ended' else 'no job can be made that' end),
             format('arcano-db map %s -- anew, with the word that is %s now', m.name, w.key)
        from jsonb_each_text(m.writes) w cross join lateral arcano.mapping_spelling(m, w.value) p
       where p.problem is not null;
    return query
      select 'warning', 'mapped words', format('%s: jobs of the status %s block nobody: it is not in p_statuses', m.name, u.word), format('arcano-db map %s -- anew, with %s', m.name, u.word)
        from unnest(s.unknown_words) u (word);
  end loop;
end
$$;

comment on function arcano.mapping_health() is
  'Internal: what check_health says of the mapped tables.';

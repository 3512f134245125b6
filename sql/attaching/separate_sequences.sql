-- Two job tables with a sequence each give two jobs the same id: then an id alone says no longer which job is meant.
-- Says it of a table, attached or about to be, and what gives it the sequence of another one: while nobody draws from it,
-- for whoever inserts into either, and so that the other table can be dropped some day.
create or replace function arcano.separate_sequences(p_table regclass, out detail text, out hint text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_sequence constant regclass := arcano.id_sequence(p_table);
begin
  if not arcano.ids_are_numbers() or arcano.is_mapped(p_table) then
    return;
  end if;
  return query
    select format('the ids of %s and %s do not come from one sequence, and can be the same: a call that does not name the table of such a job is refused',
             p_table, t.job_table),
           format('begin; lock table %4$s, %2$s in share row exclusive mode; %1$salter table %2$s alter column id set default nextval(%3$L); select setval(%3$L, greatest((select last_value from %3$s), (select max(id) from %2$s), (select max(id) from %4$s))); %5$s%6$scommit;',
             case when a.attidentity <> '' then format('alter table %s alter column id drop identity; ', m.other) end,
             m.other, m.sequence, m.owner,
             case when o.attidentity = '' then format('alter sequence %s owned by none; ', m.sequence) end,
             g.grants)
      from arcano.job_table t
     cross join lateral (select arcano.id_sequence(t.job_table)) s (sequence)
     -- The one that has no sequence gets that of the other.
     cross join lateral (
       select coalesce(s.sequence, v_sequence),
              case when s.sequence is null then t.job_table else p_table end,
              case when s.sequence is null then p_table else t.job_table end
     ) m (sequence, other, owner)
      join pg_attribute a on a.attrelid = m.other and a.attname = 'id'
      join pg_attribute o on o.attrelid = m.owner and o.attname = 'id'
     cross join lateral (
       select 'grant usage on sequence ' || m.sequence || ' to '
                || string_agg(distinct case i.grantee when 0 then 'public' else i.grantee::regrole::text end, ', ') || '; '
         from pg_class c
        cross join lateral aclexplode(c.relacl) i
        where c.oid = m.other and i.privilege_type = 'INSERT' and i.grantee <> c.relowner
     ) g (grants)
     where t.job_table <> p_table and not arcano.is_mapped(t.job_table) and s.sequence is distinct from v_sequence
     order by t.attached_at, t.job_table
     limit 1;
end
$$;

comment on function arcano.separate_sequences(regclass) is
  'Internal: whether the numbers that are the ids of p_table come from another sequence than those of an attached table (detail), and what mends that (hint); no row: they do not.';

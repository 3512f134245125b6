-- Whether each mapped table can be read as it is mapped, and which words its mapping does not know: jobs that have one block nobody.
create or replace function arcano.mapping_state()
returns table (job_table text, problem text, mend text, unknown_words text[])
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
  r arcano.mapping;
begin
  for m in select x.* from arcano.mapping x order by x.name loop
    r := arcano.refreshed_mapping(m);
    m.left_out := coalesce(arcano.left_out_because(r), m.left_out);
    job_table := m.name;
    problem := case
      when m.left_out is not null then format('%s cannot be read as it is mapped, and %s: %s', m.name, case when m.blocks then 'its jobs block, and are never ghosts' else 'its users are told free' end, m.left_out)
      when arcano.relation_of(m.name) <> m.relid then format('%s is another table than the one that was mapped, and has no settings', m.name)
      -- What can be planned may still fail for one row, by an expression.
      else format('%s has rows that cannot be read as it is mapped, and so no sweep ends its ghosts: ', m.name)
        || arcano.failure_of(format('select count(o.*) from (%s) o', arcano.mapped_judgement(r, 'open')))
    end;
    mend := case when m.left_out is null and arcano.relation_of(m.name) <> m.relid then 'select * from arcano.remap_tables();'
      else format('arcano-db map %s -- anew, or: arcano-db unmap %s', coalesce((
        select arcano.table_name(c.oid) from pg_class c where c.oid = m.relid and arcano.relation_of(m.name) is null), m.name), m.name) end;
    unknown_words := case when m.left_out is null then array(select w from unnest(arcano.words_of_table(r)) w where not m.statuses ? w) end;
    return next;
  end loop;
end
$$;

comment on function arcano.mapping_state() is
  'Internal: each mapped table, what is wrong with how it is read (null: nothing) and what mends that, and the words that its mapping does not know (null: it cannot be read).';

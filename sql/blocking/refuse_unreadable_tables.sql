-- A mapped table that is there, and of which nobody can say whose jobs are in it. A check says that its
-- users are free, with a warning; but whoever makes a job is refused, unless arcano.admit_unread says otherwise.
create or replace function arcano.refuse_unreadable_tables(p_may_be_told boolean default true)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  m arcano.mapping;
  v_unread constant text := nullif(current_setting('arcano.unread', true), ''); -- what mapped_jobs_each met just now
begin
  select x.* into m from arcano.mapping x where x.left_out is not null and not (x.blocks and arcano.lost_words(x) = '{}') and not arcano.is_gone(x) order by x.name limit 1;
  if not found and v_unread is not null then
    m.name := split_part(v_unread, ': ', 1);
    m.left_out := v_unread;
  end if;
  if m.name is not null and not (p_may_be_told and arcano.is_told('admit_unread')) then
    raise exception '% is mapped, and cannot be read: nobody can say whose jobs are in it', m.name
      using errcode = 'AR002', detail = m.left_out,
        hint = format('Map it anew: arcano-db map %s -- or unmap it. To make jobs all the same: set arcano.admit_unread = on;', m.name);
  end if;
end
$$;

comment on function arcano.refuse_unreadable_tables(boolean) is
  'Internal: raises if a mapped table that exists cannot be read as it is mapped, unless p_may_be_told and arcano.admit_unread.';

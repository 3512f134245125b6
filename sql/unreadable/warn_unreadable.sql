-- What is said where a mapped table cannot be read as it is mapped. p_blocks: what it takes to block its users could be read, but not
-- what would make its jobs ghosts. p_is_unread: whose jobs are in it nobody can say, which stops who would make a job in this
-- transaction.
create or replace function arcano.warn_unreadable(p_name text, p_reason text, p_blocks boolean, p_is_unread boolean)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  raise warning 'arcano: % is mapped, and cannot be read%', p_name,
    case when p_blocks then ' as it is mapped: its jobs block, as far as their words are known, and are never ghosts'
      else ': its users are told free' end
    using detail = p_reason, hint = format('Map it anew (arcano-db map %s), or unmap it.', p_name);
  if p_is_unread then
    perform set_config('arcano.unread', p_name || ': ' || p_reason, true);
  end if;
end
$$;

comment on function arcano.warn_unreadable(text, text, boolean, boolean) is
  'Internal: warns that the mapped table p_name cannot be read, because of p_reason. p_blocks: it blocks its users all the same. p_is_unread: not all of them.';

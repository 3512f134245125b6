-- For interfaces that read a job's place from its row.
create or replace function arcano.set_position_refresh(p_on boolean default true)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update arcano.setting set keep_positions = p_on is true;
  if p_on then
    perform arcano.refresh_positions();
  end if;
end
$$;

comment on function arcano.set_position_refresh(boolean) is
  'Whether each sweep writes the places of jobs in the queue to their column position, of at most 500 jobs, those first that are wrong by the largest part; off by default, when position stays the place at which the job entered. queue_position counts in any case.';

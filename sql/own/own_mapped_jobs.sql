-- The newest jobs of a user in each mapped table, ended ones too. A table that cannot be read hides no others'.
--
-- Dynamic, because their columns are not known before.
create or replace function arcano.own_mapped_jobs(p_user_id arcano.job.user_id%type, p_limit integer)
returns table (relid oid, job arcano.job)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_columns constant text := (
    select string_agg(format('r.%I', k.attname), ', ' order by k.attnum)
      from pg_attribute k where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped);
  m arcano.mapping;
  v_jobs arcano.job[];
begin
  for m in select x.* from arcano.mapping x where x.left_out is null order by x.name loop
    begin
      execute format('select array(select row(%s)::arcano.job from (%s and %s = %s) r order by r.created_at desc nulls last limit $2)',
          v_columns, arcano.mapped_rows(m, 'all'), arcano.mapped_expression(m, 'user_id'), arcano.mapped_parameter('$1', m.user_id_type, 'user_id'))
        into v_jobs using p_user_id, p_limit;
      return query select m.relid, u::arcano.job from unnest(v_jobs) u;
    exception
      when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
        raise; -- see read_failures
      when others then
        perform arcano.warn_unreadable(m.name, coalesce(arcano.missing_column(m), sqlstate || ': ' || sqlerrm), false, false);
    end;
  end loop;
end
$$;

comment on function arcano.own_mapped_jobs(arcano.job.user_id%type, integer) is
  'Internal: the p_limit newest jobs of user p_user_id in each mapped table, with the contract''s columns.';

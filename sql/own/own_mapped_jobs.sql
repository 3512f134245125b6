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
          v_columns, arcano.mapped_rows(m, 'all'), arcano.mapped_expression(m, 'user_id'), arcano.mapped_parameter('$1', m.user_id_type))
        into v_jobs using p_user_id, p_limit;
      return query select m.relid, u::arcano.job from unnest(v_jobs) u;
    exception
      when syntax_error_or_access_rule_violation or data_exception or invalid_schema_name then
        raise warning 'arcano: % is mapped, and cannot be read', m.name
          using detail = sqlstate || ': ' || sqlerrm, hint = format('Map it anew (arcano-db map %s), or unmap it.', m.name);
    end;
  end loop;
end
$$;

comment on function arcano.own_mapped_jobs(arcano.job.user_id%type, integer) is
  'Internal: the p_limit newest jobs of user p_user_id in each mapped table, with the contract''s columns.';

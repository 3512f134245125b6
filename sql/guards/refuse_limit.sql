-- How much one call may do.
create or replace function arcano.refuse_limit(p_limit integer, p_most integer default null)
returns void
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit < 1 or p_limit > p_most then
    raise exception 'p_limit must be %, not %',
      case when p_most is null then '1 or more' else format('between 1 and %s', p_most) end, coalesce(p_limit::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'It is the most jobs that one call handles.';
  end if;
end
$$;

comment on function arcano.refuse_limit(integer, integer) is
  'Internal: raises if p_limit is null, below 1, or above p_most.';

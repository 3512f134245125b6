-- What a caller may end a job as.
create or replace function arcano.refuse_end_status(p_status text)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_status is null or p_status <> all (arcano.ended_statuses()) then
    raise exception 'p_status must be one of %, not %',
      array_to_string(arcano.ended_statuses(), ', '), coalesce(quote_literal(p_status), 'null')
      using errcode = 'invalid_parameter_value', hint = 'The default is completed.';
  end if;
end
$$;

comment on function arcano.refuse_end_status(text) is
  'Internal: raises if p_status is not one that a job can end as.';

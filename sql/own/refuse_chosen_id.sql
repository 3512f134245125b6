-- Which ids a user may choose for a new job: those that nobody can guess. Whoever could choose the number that a
-- table's sequence gives next would make the insert of somebody else fail. A backend that passes an id on which its user
-- chose asks this first.
create or replace function arcano.refuse_chosen_id(p_table regclass, p_job_id arcano.job.id%type)
returns void
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_form text;
begin
  if p_job_id is null then
    return;
  end if;
  if pg_typeof(p_job_id) = 'uuid'::regtype then
    return;
  end if;
  if not arcano.ids_are_numbers() then
    select t.id_form into v_form from arcano.job_table t where t.job_table = p_table;
    if p_job_id::text ~ ('^(?:' || v_form || ')$') then
      return;
    end if;
  end if;
  raise exception 'p_job_id cannot be %', quote_literal(p_job_id)
    using errcode = 'invalid_parameter_value',
      detail = case when v_form is null then 'The ids of this table are not chosen by users.'
        else format('It must have the form %s.', v_form) end,
      hint = 'Leave p_job_id out: the answer has the id. With a p_request_key of your own a retry is the same job.';
end
$$;

comment on function arcano.refuse_chosen_id(regclass, arcano.job.id%type) is
  'Raises (22023) unless a user may choose p_job_id for a new job of p_table: a uuid, or a text of the form that id_form of the table says; never a number. For a backend that passes on to create_job what its user chose.';

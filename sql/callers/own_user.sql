-- The user that a caller who may act for one user alone asks about: the caller, whether named or not.
create or replace function arcano.own_user(p_user_id arcano.job.user_id%type)
returns arcano.job.user_id%type
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user_id constant arcano.job.user_id%type := arcano.caller_id();
begin
  if p_user_id <> v_user_id then
    raise exception 'p_user_id is not the user who calls'
      using errcode = 'insufficient_privilege', hint = 'Leave p_user_id out.';
  end if;
  return v_user_id;
end
$$;

comment on function arcano.own_user(arcano.job.user_id%type) is
  'Internal: the user who calls; raises if p_user_id is another.';

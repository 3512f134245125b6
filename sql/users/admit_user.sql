-- Admission for an app that inserts its job itself, such as by its ORM: the user's lock, healing and refusal of create_job. Whoever
-- is admitted inserts in the same transaction, which holds off the user's other admissions until it ends.
create or replace function arcano.admit_user(
  p_user_id arcano.job.user_id%type,
  out admitted boolean,
  out active_table text,
  out active_job_id arcano.job.id%type,
  out active_status text,
  out heals_at timestamptz
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found record;
begin
  if p_user_id is null then
    raise exception 'p_user_id must not be null'
      using errcode = 'null_value_not_allowed', hint = 'It is the user who wants to start a job.';
  end if;
  perform arcano.refuse_other_spelling(p_user_id::text);
  perform arcano.lock_user(p_user_id, 'a user cannot be admitted');
  perform set_config('arcano.unread', '', true); -- of an earlier call
  perform arcano.refuse_unreadable_tables();
  select f.* into v_found from arcano.heal_and_find_active_job(p_user_id, true) f;
  admitted := not v_found.has_active_job;
  active_table := v_found.active_table;
  active_job_id := v_found.active_job_id;
  active_status := v_found.active_status;
  heals_at := v_found.heals_at;
end
$$;

comment on function arcano.admit_user(arcano.job.user_id%type) is
  'For an app that inserts the job itself, in the same transaction, read committed: heals the orphans of user p_user_id and answers whether no job is in the way (admitted), and else which. Holds off the user''s other admissions until the transaction ends. Errors: null; a spelling that is not the canonical one of a mapped table''s user ids; a transaction that is not read committed; a wait of more than longest_wait (55P03); a mapped table that is there and cannot be read (AR002).';

-- Jobs of a user or of a session that were healed within the last hour are not brought back any more: at most the last hundred.
create or replace function arcano.note_late_cancels(p_user_id arcano.job.user_id%type, p_session_id arcano.job.session_id%type, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.note_late_cancel((h.relid, h.job_id)::arcano.job_ref, 'cancel_session', p_reason)
     from (
       select e.relid, e.job_id
         from arcano.job_event e
        where e.event = 'healed' and e.created_at > now() - interval '1 hour' and e.user_id = p_user_id
          and (p_session_id is null or e.job_before ->> 'session_id' = p_session_id)
        union all
       select e.relid, e.job_id
         from arcano.job_table t
         join arcano.job_event e on e.relid = t.job_table
        where e.event = 'healed' and e.created_at > now() - interval '1 hour' and p_user_id is null
          and e.job_before ->> 'session_id' = p_session_id
        limit 100
     ) h;
end
$$;

comment on function arcano.note_late_cancels(arcano.job.user_id%type, arcano.job.session_id%type, text) is
  'Internal: note_late_cancel for what was healed of p_user_id, or of p_session_id, within the last hour.';

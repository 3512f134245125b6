-- Rows of mapped tables where one of them cannot be read: each by itself, as its own statement. Of one that fails, only what it
-- takes to block its user is read (core), and if that fails as well, it is left out with a warning: one table that was dropped,
-- renamed or cut off from our rights spoils no answer about another.
--
-- Dynamic, because their columns are not known before. The rows are those of judged_job.
create or replace function arcano.mapped_jobs_each(
  p_rows text,
  p_user_id arcano.job.user_id%type,
  p_job_id arcano.job.id%type
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  m arcano.mapping;
  v_rows arcano.judged_job[];
  v_error text;
  v_is_theirs boolean;
begin
  perform set_config('arcano.changed', 'on', true); -- for who heals what is read
  for m in select (arcano.refreshed_mapping(x)).* from arcano.mapping x order by x.name loop
    v_rows := null;
    v_is_theirs := m.owner <> (select pg_get_userbyid(c.relowner) from pg_class c where c.oid = m.relid);
    v_error := coalesce(m.left_out, case when v_is_theirs then 'it belongs to somebody else by now' else arcano.missing_column(m) end);
    for v_core in case when v_error is null then 0 else 1 end..case when p_rows = 'user' and not v_is_theirs and (m.left_out is null or m.blocks) then 1 else 0 end loop
      begin
        if v_core = 1 and not arcano.has_core_columns(m) then
          exit;
        elsif p_rows = 'id' then
          execute format('select array(select q::arcano.judged_job from (%s) q)', arcano.mapped_judgement(m, p_rows)) into v_rows using p_job_id;
        else
          execute format('select array(select q::arcano.judged_job from (%s) q)', arcano.mapped_judgement(m, case v_core when 1 then 'core' else p_rows end))
            into v_rows using p_user_id;
        end if;
        exit;
      exception
        when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
          raise; -- see read_failures
        when others then
          v_error := coalesce(v_error, arcano.missing_column(m), sqlstate || ': ' || sqlerrm);
      end;
    end loop;
    if v_error is not null and not arcano.is_gone(m) then
      perform arcano.warn_unreadable(m.name, v_error, v_rows is not null, v_rows is null or v_rows = '{}' and arcano.lost_words(m) <> '{}');
    end if;
    return query select r.* from unnest(v_rows) r;
  end loop;
end
$$;

comment on function arcano.mapped_jobs_each(text, arcano.job.user_id%type, arcano.job.id%type) is
  'Internal: rows of judged_job of mapped tables, table by table; p_rows: user (open jobs of p_user_id), open, or id (those with p_job_id).';

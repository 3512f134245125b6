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
begin
  for m in select x.* from arcano.mapping x where x.left_out is null order by x.name loop
    v_rows := null;
    for v_core in 0..case p_rows when 'user' then 1 else 0 end loop
      begin
        if p_rows = 'id' then
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
    if v_error is not null then
      perform arcano.warn_unreadable(m.name, v_error, v_rows is not null);
      -- For who admits a job, in the same transaction: nobody can say whose jobs are in it, nor where its words are others by now.
      if (v_rows is null or v_rows = '{}' and v_error like '22P02%') and arcano.relation_of(m.name) is not null then
        perform set_config('arcano.unread', m.name || ': ' || v_error, true);
      end if;
      v_error := null;
    end if;
    return query select r.* from unnest(v_rows) r;
  end loop;
end
$$;

comment on function arcano.mapped_jobs_each(text, arcano.job.user_id%type, arcano.job.id%type) is
  'Internal: rows of judged_job of mapped tables, table by table; p_rows: user (open jobs of p_user_id), open, or id (those with p_job_id).';

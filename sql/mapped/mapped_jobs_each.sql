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
language plpgsql stable
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
        when syntax_error_or_access_rule_violation or data_exception or invalid_schema_name then
          v_error := sqlstate || ': ' || sqlerrm;
      end;
    end loop;
    if v_error is not null then
      raise warning 'arcano: % is mapped, and cannot be read%', m.name, case when v_rows is null then ': its users are told free' else ' as it is mapped: its jobs block, and are never ghosts' end
        using detail = v_error, hint = format('Map it anew (arcano-db map %s), or unmap it.', m.name);
      v_error := null;
    end if;
    return query select r.* from unnest(v_rows) r;
  end loop;
end
$$;

comment on function arcano.mapped_jobs_each(text, arcano.job.user_id%type, arcano.job.id%type) is
  'Internal: rows of judged_job of mapped tables, table by table; p_rows: user (open jobs of p_user_id), open, or id (those with p_job_id).';

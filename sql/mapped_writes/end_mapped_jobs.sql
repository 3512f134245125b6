-- Ends jobs of mapped tables that are not the caller's own, with all that end_jobs promises: all of a table at once, and if that
-- fails one by one, so that one that cannot be ended spoils no other.
create or replace function arcano.end_mapped_jobs(
  p_jobs arcano.job_ref[],
  p_source text,
  p_cause text,
  p_reason text default null,
  p_since timestamptz default null,
  p_alone boolean default false,
  out job arcano.job_ref,
  out error text
)
returns setof record
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_since constant timestamptz := coalesce(p_since, clock_timestamp());
  v_lock_timeout constant interval := current_setting('lock_timeout');
  v_jobs arcano.job_ref[];
  v_ended arcano.job_ref[];
  v_error text;
begin
  for v_jobs in select array_agg(r::arcano.job_ref) from unnest(p_jobs) r group by r.relid loop
    v_error := null;
    v_ended := null;
    begin
      v_ended := arcano.end_mapped_at_once(v_jobs, p_source, p_cause, p_reason, v_since, v_lock_timeout);
      if p_alone and v_ended is not null then
        perform arcano.check_constraints_now(array(select distinct r.rel from arcano.mapped_job_rows(v_ended, false) r), v_since, v_lock_timeout);
      end if;
    exception
      when others or assert_failure then
        v_error := arcano.plain_text(sqlstate || ': ' || sqlerrm);
        if current_setting('transaction_read_only')::boolean and p_source <> 'check' then
          raise;
        end if;
    end;
    if v_error is null then
      return query select e::arcano.job_ref, null::text from unnest(v_ended) e;
    elsif cardinality(v_jobs) > 1 and not current_setting('transaction_read_only')::boolean then
      return query
        select e.job, e.error
          from unnest(v_jobs) r cross join lateral arcano.end_mapped_jobs(array[r], p_source, p_cause, p_reason, v_since, p_alone) e;
    else
      return query select r::arcano.job_ref, v_error from unnest(v_jobs) r;
      if p_source = 'sweep' then
        perform arcano.journal_and_back_off(v_jobs[1], p_source, v_error);
      elsif p_source <> 'check' then
        perform arcano.journal_once(v_jobs[1], 'error', p_source, v_error);
      end if;
    end if;
  end loop;
end
$$;

comment on function arcano.end_mapped_jobs(arcano.job_ref[], text, text, text, timestamptz, boolean) is
  'Internal: as end_jobs, of p_jobs of mapped tables.';

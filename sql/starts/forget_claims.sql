-- Forgets that a worker said of its claim that it gives signs of life, once the claim is over; one whose worker fell
-- silent counts until its job has ended. Of a table that is detached for a while nobody can say.
create or replace function arcano.forget_claims()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off -- a plan that was made while tables were small is still there when they are not
set jit = off -- what is switched off counts as expensive, and that would start it
as $$
begin
  delete from arcano.beating_claim c
   where c.ctid = any (array(
           select b.ctid
             from arcano.beating_claim b
            -- A question for each, so that no job table is read whole.
            where (select case when b.fell_silent_at is null then j.attempt = b.attempt and arcano.is_working(j.status)
                            else arcano.is_open(j.status) end
                     from arcano.job j where j.id = b.job_id and j.tableoid = b.job_table) is not true
              and (exists (select from arcano.job_table t where t.job_table = b.job_table)
                or not exists (select from pg_class c where c.oid = b.job_table))
              for update skip locked));
end
$$;

comment on function arcano.forget_claims() is
  'Internal: deletes the entries of beating_claim whose job is not worked on at that attempt any more, or has ended.';

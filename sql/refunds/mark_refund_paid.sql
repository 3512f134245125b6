-- The last step of a refund, whether the app's function paid it or a person did. A job whose row is gone by now, or
-- whose table is detached, is paid all the same.
create or replace function arcano.mark_refund_paid(p_refund arcano.refund, p_source text, p_reason text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform arcano.journal_refund(p_refund, 'refunded', p_source, p_reason);
  update arcano.job j set credits_refunded = true where j.id = p_refund.job_id and j.tableoid = p_refund.job_table;
  update arcano.refund f
     set paid_at = clock_timestamp(), tries = f.tries + 1, tried_at = clock_timestamp(), error = null
   where f.refund_id = p_refund.refund_id;
end
$$;

comment on function arcano.mark_refund_paid(arcano.refund, text, text) is
  'Internal: marks p_refund and its job as refunded, and journals it.';

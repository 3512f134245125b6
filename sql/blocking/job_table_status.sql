-- Each attached table with its settings, and how many of its jobs block users and are orphans.
create or replace view arcano.job_table_status as
select n.job_table, s.tool, s.orphan_after, s.touch_limit, s.stall_after, s.starting_stall_after,
       s.charged_orphan_after, s.refund_when, s.user_columns, s.mode,
       s.breaker_share::double precision as breaker_share, s.breaker_tripped_at, s.attached_at,
       (select count(*) from arcano.active_job a where a.job_table = n.job_table) as active,
       (select count(*) from arcano.orphan_job o where o.job_table = n.job_table) as orphans,
       s.id_form, s.journal_value_limit, s.max_attempts
  from arcano.job_table s
 cross join lateral arcano.table_name(s.job_table) n (job_table);

comment on view arcano.job_table_status is
  'The attached tables with their settings, as arcano.job_table has them, and how many jobs block and are orphans.';
comment on column arcano.job_table_status.active is 'Jobs that block their users.';
comment on column arcano.job_table_status.orphans is 'Jobs that the next check of their user or the next sweep ends.';

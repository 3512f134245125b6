-- Charged, never started, never in the queue, and as old as an orphan: the rule leaves it alone, because
-- somebody paid. A person has to look, or its table has a charged_orphan_after.
create or replace view arcano.charged_orphan as
select o.job_table, o.tool, o.job_id, o.user_id, o.session_id, o.status,
       o.created_at, o.charged_orphan_since as orphan_since
  from arcano.open_job o
 where o.charged_orphan_since < now()
 union all
select m.job_table, m.tool, m.job_id, m.user_id, m.session_id, m.status,
       m.created_at, m.charged_orphan_since
  from arcano.mapped_open_jobs() m
 where m.charged_orphan_since < now();

comment on view arcano.charged_orphan is
  'Jobs that were charged and then forgotten: they block their users until somebody cancels them, or the sweep where the table''s charged_orphan_after says so.';

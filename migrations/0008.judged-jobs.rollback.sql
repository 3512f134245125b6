-- With it go the views that read it; those of the older release are loaded afterwards.
drop view if exists arcano.judged_job cascade;
alter table arcano.job drop constraint if exists job_is_left_out;

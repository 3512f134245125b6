-- With it go the views that read it; those of the older release are loaded afterwards.
drop view if exists arcano.judged_job cascade;

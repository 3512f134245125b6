-- The older release has no such view.
drop view if exists arcano.sweep_status;
alter table arcano.sweep_run drop column if exists application_name;

-- The older release has no such views.
drop view if exists arcano.metric, arcano.sweep_status;
alter table arcano.release drop column if exists last_migration;
alter table arcano.sweep_run drop column if exists application_name;

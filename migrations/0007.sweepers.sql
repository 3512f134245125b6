-- Who sweeps: several hosts may at once, and when one stops it is to be seen which.
alter table arcano.sweep_run add column if not exists application_name text;

comment on column arcano.sweep_run.application_name is
  'Of the session that swept: arcano-db sweep, pg_cron, or what the caller has set.';

-- Which migrations came with the functions: where plain SQL was run, yoyo does not know.
alter table arcano.release add column if not exists last_migration text;

comment on column arcano.release.last_migration is 'The last migration of the release that was loaded.';

-- Who sweeps: several hosts may at once, and when one stops it is to be seen which.
alter table arcano.sweep_run add column if not exists application_name text;

comment on column arcano.sweep_run.application_name is
  'Of the session that swept: arcano-db sweep, pg_cron, or what the caller has set.';

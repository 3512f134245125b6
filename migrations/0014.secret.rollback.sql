alter table arcano.lock drop column if exists secret;
comment on column arcano.lock.seed is 'Of the keys of the users'' advisory locks.';

-- The keys of the users' locks come from a hash that cannot be undone. The one before could: who saw the key of their own
-- lock worked out the seed in a minute, and with it the keys of all users.
alter table arcano.lock add column if not exists secret uuid;
update arcano.lock set secret = gen_random_uuid() where secret is null;

comment on column arcano.lock.secret is 'Of the keys of the users'' advisory locks.';
comment on column arcano.lock.seed is 'Of the keys that an older release used.';

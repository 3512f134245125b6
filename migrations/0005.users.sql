-- For callers who may act for one user alone: how they are known, what they may give with a new job, and
-- locks that they can neither guess nor take.

alter table arcano.setting add column if not exists identity_function text;

comment on column arcano.setting.identity_function is
  'The function that says which user an arcano_user caller is, with its schema; null: what a gateway has set. Set by set_identity_function.';

alter table arcano.job_table add column if not exists user_columns text[] not null default '{}';

comment on column arcano.job_table.user_columns is
  'Which of the table''s own columns an arcano_user caller may give in p_data of create_job.';

create table if not exists arcano.lock (
  only_one boolean primary key default true check (only_one),
  seed bigint not null default hashtextextended(gen_random_uuid()::text, 0)
);

insert into arcano.lock default values on conflict do nothing;

comment on table arcano.lock is
  'What the package''s own locks are made of. Nobody may read it: whoever knows the seed can hold up a user''s create_job. The table itself is locked by who passes the line.';
comment on column arcano.lock.seed is 'Of the keys of the users'' advisory locks.';

-- A function that is registered is called with the rights of the role that migrated. What is called is the one that was
-- registered, of the owner that it had: under its name there may be another one by now. And how long a call waits at
-- most for its user's lock.
--
-- What was registered before is registered again when the functions of this release are loaded.
alter table arcano.setting
  add column if not exists refund_function_oid oid,
  add column if not exists refund_function_owner text,
  add column if not exists identity_function_oid oid,
  add column if not exists identity_function_owner text,
  add column if not exists longest_wait interval not null default '5 seconds';

comment on column arcano.setting.refund_function_oid is
  'Which function had that name when it was registered; under another oid nothing is called.';
comment on column arcano.setting.refund_function_owner is
  'To whom it belonged then; of another owner nothing is called.';
comment on column arcano.setting.identity_function_oid is 'As refund_function_oid.';
comment on column arcano.setting.identity_function_owner is 'As refund_function_owner.';
comment on column arcano.setting.longest_wait is
  'How long create_job and others wait at most for another call of the same user. Set by set_longest_wait.';

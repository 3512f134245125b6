-- Nothing of the older release names these; its functions are loaded afterwards.
alter table arcano.setting
  drop column if exists refund_function_oid,
  drop column if exists refund_function_owner,
  drop column if exists identity_function_oid,
  drop column if exists identity_function_owner,
  drop column if exists longest_wait;

-- Each provider account with its slots.
create or replace view arcano.account_status as
select a.name as api_account, a.enabled, a.slots,
       coalesce(u.used, 0) as used,
       case when a.enabled then greatest(a.slots - coalesce(u.used, 0), 0) else 0 end as free
  from arcano.account a
  left join (
    select j.api_account, count(*)::integer as used
      from arcano.job j
     where arcano.is_working(j.status)
     group by j.api_account
  ) u on u.api_account = a.name;

comment on view arcano.account_status is 'The provider accounts, and how many of their slots jobs hold.';
comment on column arcano.account_status.used is 'Jobs that are starting or running in it.';
comment on column arcano.account_status.free is 'How many more jobs may start in it now.';

-- As a Rails app has it: bigint ids, statuses of its own, timestamps without a time zone that the app writes.
create table users (id bigserial primary key, email character varying not null);

create table jobs (
  id bigserial primary key,
  user_id bigint not null references users (id),
  status character varying default 'pending' not null,
  prompt text,
  started_at timestamp(6) without time zone,
  created_at timestamp(6) without time zone not null,
  updated_at timestamp(6) without time zone not null
);

create index index_jobs_on_user_id on jobs (user_id);

insert into users (email) select 'user' || n || '@example.com' from generate_series(1, 200) n;

-- A year of history: real jobs that took up to 40 seconds to start, and two that never did.
insert into jobs (user_id, status, prompt, created_at, started_at, updated_at)
select 1 + n % 200, 'done', 'a cat', t.at, t.at + (n % 41) * interval '1 second', t.at + interval '2 minutes'
  from generate_series(1, 2000) n
 cross join lateral (select date_trunc('milliseconds', now() at time zone 'UTC') - n * interval '4 hours') t (at);
-- And three that are open; by a clock with microseconds, which one now() in a thousand has not.
create function a_while_ago(interval) returns timestamp
begin atomic
  select date_trunc('milliseconds', now() at time zone 'UTC') - $1 + interval '7 microseconds';
end;
insert into jobs (user_id, status, created_at, updated_at)
values (7, 'pending', a_while_ago('3 hours'), a_while_ago('0')), (8, 'pending', a_while_ago('20 days'), a_while_ago('0'));
insert into jobs (user_id, status, created_at, started_at, updated_at)
values (9, 'processing', a_while_ago('1 minute'), a_while_ago('0'), a_while_ago('0'));
drop function a_while_ago;

-- A table that nobody opened is closed to end users: they make no job in it. Tables of before stay as open as they were.

alter table arcano.job_table alter column user_columns drop not null;
-- squawk-ignore ban-drop-default
alter table arcano.job_table alter column user_columns drop default;

comment on column arcano.job_table.user_columns is
  'Which of the table''s own columns an end user may give in p_data of arcano_api.create_job; an empty list: none; null: end users make no jobs in it.';

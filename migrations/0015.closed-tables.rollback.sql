update arcano.job_table set user_columns = '{}' where user_columns is null;
alter table arcano.job_table alter column user_columns set default '{}';
alter table arcano.job_table alter column user_columns set not null;

comment on column arcano.job_table.user_columns is
  'Which of the table''s own columns an arcano_user caller may give in p_data of create_job.';

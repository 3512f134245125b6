drop function if exists arcano.set_identity_function(text);

drop table if exists arcano.lock;

alter table arcano.job_table drop column if exists user_columns;

alter table arcano.setting drop column if exists identity_function;

alter table arcano.job_table drop column if exists name;

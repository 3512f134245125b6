-- A retry is recognised by a key of its own, where the client cannot choose the id of a job: numbers are drawn from the
-- table's sequence, and whoever chose one would take it from somebody else. And which text ids users may choose.
alter table arcano.job_table add column if not exists id_form text;

comment on column arcano.job_table.id_form is
  'The form, as a regular expression for the whole of it, of the text ids that users may choose in arcano_api.create_job, such as [0-9a-f-]{36}: one that others cannot guess. Null: they choose none. Numbers are never chosen by users, uuids always may be.';

-- Of the types that were chosen when installing.
do $$
declare
  v_id constant text := (
    select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
     where a.attrelid = 'arcano.job'::regclass and a.attname = 'id');
  v_user_id constant text := (
    select format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a
     where a.attrelid = 'arcano.job'::regclass and a.attname = 'user_id');
begin
  if to_regclass('arcano.request') is null then
    execute format(
      'create table arcano.request (
         user_id %s,
         request_key text,
         job_table regclass not null,
         job_id %s not null,
         data jsonb not null,
         created_at timestamptz not null default clock_timestamp(),
         primary key (user_id, request_key)
       )', v_user_id, v_id);
    create index request_created on arcano.request (created_at);
  end if;
end
$$;

comment on table arcano.request is
  'Which job a call of create_job with a p_request_key made, so that the same call again answers the same job; kept for a day.';
comment on column arcano.request.request_key is 'As the client made it, unique for each user.';
comment on column arcano.request.data is 'What p_data was: the same key with other data is another request.';

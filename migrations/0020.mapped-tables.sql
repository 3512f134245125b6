-- Tables whose names, types and words are the app's own: they are not attached, but read and written as arcano.mapping says.

create table if not exists arcano.mapping (
  name text primary key,
  relid oid not null,
  owner text not null,
  columns jsonb not null,
  statuses jsonb not null,
  writes jsonb not null,
  time_zone text,
  id_type text not null,
  user_id_type text not null,
  mapped_at timestamptz not null default clock_timestamp(),
  left_out text,
  blocks boolean not null default false,
  code jsonb not null default '{}',
  uses text[] not null default '{}',
  shape text,
  -- Two that swap their names are moved by one statement.
  constraint mapping_relid_is_of_one_name unique (relid) deferrable initially immediate,
  constraint mapping_columns_are_an_object check (jsonb_typeof(columns) = 'object'),
  constraint mapping_statuses_are_an_object check (jsonb_typeof(statuses) = 'object'),
  constraint mapping_writes_are_an_object check (jsonb_typeof(writes) = 'object')
);

comment on table arcano.mapping is
  'Tables that map_job_table has mapped. Their settings are in arcano.job_table, as those of attached ones.';
comment on column arcano.mapping.name is
  'Schema and name, by which it is read: one that is dropped and made again, or swapped, is found by what it is called.';
comment on column arcano.mapping.relid is 'What the name meant when it was last read anew (remap_tables).';
comment on column arcano.mapping.owner is
  'To whom it belonged when it was mapped. Whoever can make another table of its name would have code run with the rights of who migrated.';
comment on column arcano.mapping.columns is
  'Column of the contract -> the app''s column, or an expression over its row t; null: it has none, whatever it is called.';
comment on column arcano.mapping.statuses is 'The app''s word -> the status that it means.';
comment on column arcano.mapping.writes is 'Status -> the app''s word that is written for it.';
comment on column arcano.mapping.time_zone is 'Of its dates without a time zone.';
comment on column arcano.mapping.id_type is 'The type of its ids, as they are compared.';
comment on column arcano.mapping.user_id_type is 'The type of its user ids, as they are compared.';
comment on column arcano.mapping.blocks is
  'Of one that is left out: whether it is still known which of its jobs block whom.';
comment on column arcano.mapping.left_out is 'Why it cannot be read, since when its users are told free; null: it is read.';
comment on column arcano.mapping.code is 'The functions, types, operators and relations that its expressions name -> to whom each belonged when it was mapped.';
comment on column arcano.mapping.uses is 'The table''s columns that are read.';
comment on column arcano.mapping.shape is
  'What the table was when it was last read anew (shape_of): each plan that reads it asks whether it still is that.';

-- What restore_job has put back, since such a table has no column for it.
create table if not exists arcano.mapped_exempt (
  name text,
  job_id text,
  created_at timestamptz,
  restored_at timestamptz not null default clock_timestamp(),
  primary key (name, job_id)
);

comment on table arcano.mapped_exempt is
  'Jobs of mapped tables that restore_job has put back: the orphan rule leaves them alone.';
comment on column arcano.mapped_exempt.name is 'Schema and name of their table, as in arcano.mapping.';
comment on column arcano.mapped_exempt.created_at is 'When the job was made: an id may come again.';
comment on column arcano.mapped_exempt.restored_at is 'It counts as a sign of life.';

-- What remap_tables writes: functions that name the app's tables in their text alone, so that nothing depends on those and
-- the app's migrations run as before. Here they are of no table yet.
do $$
declare
  v_id constant text := (
    select format_type(a.atttypid, null) from pg_attribute a where a.attrelid = 'arcano.job'::regclass and a.attname = 'user_id');
begin
  if to_regproc('arcano.generated_is_busy') is null then
    execute format($make$
      create function arcano.generated_is_busy(p_user_id %s)
      returns boolean
      language plpgsql volatile
      set search_path = pg_catalog, pg_temp
      as 'begin return false; end'
      $make$, v_id);
    execute 'revoke all on function arcano.generated_is_busy from public';
    execute 'comment on function arcano.generated_is_busy is ''Internal: whether a mapped table has an open job of p_user_id.''';
    create function arcano.generated_has_tables()
    returns boolean
    language plpgsql volatile
    set search_path = pg_catalog, pg_temp
    as 'begin return false; end';
    revoke all on function arcano.generated_has_tables from public;
    comment on function arcano.generated_has_tables is 'Internal: whether a table is mapped.';
  end if;
end
$$;

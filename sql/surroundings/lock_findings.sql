-- Every check reads every attached table, and so locks all of them and all of their indexes for a moment. The server has so many
-- places for locks, for all sessions together; where they are used up, calls fail (53200), and so do others.
create or replace function arcano.lock_findings(p_table regclass, out level text, out finding text, out detail text, out hint text)
returns setof record
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 'warning', 'many tables',
         format('with %s attached tables each check locks %s relations, and this server has %s places for locks: about %s checks can run at once',
           t.tables, t.locks, s.places, s.places / t.locks),
         format('alter system set max_locks_per_transaction = %s; -- and restart the server. Better, where each tenant has a table: one for all, with a column that says whose a row is, or a database for each',
           ceil(t.locks * 50.0 / (s.places / s.each)))
    from (
      select count(*) as tables, sum(1 + (select count(*) from pg_index i where i.indrelid = c.relid)) as locks
        from (
          select h.inhrelid from pg_inherits h where h.inhparent = 'arcano.job'::regclass
           union
          select p_table where p_table is not null and not arcano.is_mapped(p_table)
        ) c (relid)
    ) t
   cross join (
     select current_setting('max_locks_per_transaction')::bigint * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint),
            current_setting('max_locks_per_transaction')::bigint
   ) s (places, each)
   where t.tables >= 10 and s.places / t.locks < 50
$$;

comment on function arcano.lock_findings(regclass) is
  'Internal: whether so many tables are attached, with p_table (null: none more), that few checks can run at once.';

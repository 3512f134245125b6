-- Notes a time away, and forgets old ones. Waits for nobody: others may note the same at this moment.
create or replace function arcano.note_away(p_began_at timestamptz, p_ended_at timestamptz, p_cause text, p_timeline text)
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into arcano.away (began_at, ended_at, cause, is_away, timeline, relid)
  select p_began_at, p_ended_at, p_cause, p_cause <> 'unknown',
         coalesce(p_timeline, (select a.timeline from arcano.away a order by a.away_id desc limit 1)), 'arcano.away'::regclass
   where not exists (select from arcano.away a where a.noted_at > p_began_at and a.noted_at <= clock_timestamp());
  delete from arcano.away a
   where a.away_id in (
     select o.away_id
       from arcano.away o
      where o.ended_at < now() - case when o.is_away then interval '30 days' else interval '7 days' end
        and o.away_id < (select max(n.away_id) from arcano.away n)
        for update skip locked
   );
exception
  when serialization_failure then null; -- others have changed what this transaction does not see
end
$$;

comment on function arcano.note_away(timestamptz, timestamptz, text, text) is
  'Internal: notes that the database was away from p_began_at to p_ended_at, or with p_cause unknown that nobody knows.';

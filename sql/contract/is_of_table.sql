-- Whether an entry of the journal is about a job of a table, whatever that is called by now: another may have its name. An
-- entry of a release that kept the name alone is known by that.
create or replace function arcano.is_of_table(p_event_relid oid, p_event_table text, p_relid oid)
returns boolean
language sql stable parallel safe
return case when p_event_relid is null then p_event_table = arcano.table_name(p_relid) else p_event_relid = p_relid end;

comment on function arcano.is_of_table(oid, text, oid) is
  'Internal: whether an entry of the journal with this relid and job_table is about the table p_relid.';

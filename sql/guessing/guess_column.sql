-- Which column of an app's table probably is one of the contract's, by its name; for advice alone: no rule uses this.
create or replace function arcano.guess_column(p_table oid, p_column text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select a.attname
      from (
        values
          ('id', '{id,uuid,jobid}'::text[]),
          ('user_id', '{userid,ownerid,accountid,customerid,memberid,authorid,createdby,createdbyid,uid,user,owner,member,account}'),
          ('status', '{status,state,jobstatus,jobstate,phase}'),
          ('created_at', '{createdat,insertedat,created,createdon,datecreated,enqueuedat,queuedat,submittedat,requestedat}'),
          ('started_at', '{startedat,started,beganat,processingstartedat}'),
          ('completed_at', '{completedat,finishedat,endedat,finished,completed,ended}'),
          ('error_message', '{errormessage,error,errormsg,failurereason,err}'),
          ('task_id', '{taskid,predictionid,externalid,providerid,providertaskid,providerjobid,replicateid}'),
          ('heartbeat_at', '{heartbeatat,heartbeat,lastheartbeat,lastheartbeatat,lastseenat,pingedat}'),
          ('session_id', '{sessionid,visitid}')
      ) n (name, words)
      join pg_attribute a
        on a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and lower(replace(a.attname, '_', '')) = any (n.words)
      join pg_type t on t.oid = a.atttypid
     where n.name = p_column
       and (n.name not like '%\_at' or coalesce(nullif(t.typbasetype, 0), t.oid) in ('timestamptz'::regtype, 'timestamp'::regtype))
       and (n.name not in ('error_message', 'task_id', 'session_id') or t.typcategory = 'S' or t.typname = 'uuid')
     order by array_position(n.words, lower(replace(a.attname, '_', ''))), a.attnum
     limit 1
  );
end
$$;

comment on function arcano.guess_column(oid, text) is
  'Internal: the column of p_table that probably is p_column of the contract; null: none looks like it.';

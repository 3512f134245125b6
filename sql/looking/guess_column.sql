-- Which column of an app's table probably is one of the contract's, by its name; for advice alone: no rule uses this. What every row
-- has from the start is no sign that a worker or a provider has a job. It asks nothing but catalogs: migrate uses it before anything
-- is installed.
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
          ('id', '{id,uuid,jobid}'::text[], null),
          ('user_id', '{userid,ownerid,accountid,customerid,memberid,authorid,requestedbyid,requestedby,requesterid,submittedbyid,submittedby,createdbyid,createdby,profileid,requester,user,owner,member,account,uid}', null),
          ('status', '{status,state,jobstatus,jobstate,phase}', null),
          ('created_at', '{createdat,createdatutc,createdon,createddate,createdtime,insertedat,created,datecreated,dateadded,enqueuedat,queuedat,submittedat,requestedat}', null),
          ('started_at', '{startedat,startedatutc,started,startdate,starttime,beganat,processingstartedat,attemptedat,pickedupat,claimedat,lockedat}', null),
          ('completed_at', '{completedat,finishedat,endedat,finished,completed,ended}', null),
          ('error_message', '{errormessage,error,errormsg,failurereason,err}', null),
          ('task_id', '{taskid,predictionid,externalid,providerid,providertaskid,providerjobid,replicateid}',
            '(prediction|external|provider|replicate|remote|task|request|run)(job|task|prediction|request|run)?id$'),
          ('heartbeat_at', '{heartbeatat,heartbeat,lastheartbeat,lastheartbeatat,lastseenat,pingedat}', null),
          ('session_id', '{sessionid,visitid}', null)
      ) n (name, words, pattern)
     cross join lateral (
       select c.*, lower(replace(c.attname, '_', '')) as word from pg_attribute c where c.attrelid = p_table and c.attnum > 0 and not c.attisdropped
     ) a
      join pg_type t on t.oid = a.atttypid
     where n.name = p_column
       and (a.word = any (n.words) or a.word ~ n.pattern)
       and (n.name not like '%\_at' or coalesce(nullif(t.typbasetype, 0), t.oid) in ('timestamptz'::regtype, 'timestamp'::regtype))
       and (n.name not in ('error_message', 'task_id', 'session_id') or t.typcategory = 'S' or t.typname = 'uuid')
       and (n.name not in ('task_id', 'started_at', 'heartbeat_at') or not exists (
             select from pg_attrdef d where d.adrelid = p_table and d.adnum = a.attnum and pg_get_expr(d.adbin, d.adrelid) !~ '^(NULL|'''')'))
       and not exists (select from pg_index i where i.indrelid = p_table and i.indisprimary and n.name = 'task_id' and a.attnum = any (i.indkey))
     order by array_position(n.words, a.word), a.attnum
     limit 1
  );
end
$$;

comment on function arcano.guess_column(oid, text) is
  'Internal: the column of p_table that probably is p_column of the contract; null: none looks like it.';

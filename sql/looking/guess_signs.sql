-- What makes a table look like one of jobs, and what speaks against it, each with how much: 4 in all is sure, 2 may be. For advice
-- alone: no rule uses this.
--
-- Orders, payments, bookings and to-dos wait, are worked on and end as well: what tells them is what they are about.
create or replace function arcano.guess_signs(p_table oid, p_statuses jsonb)
returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object('sign', s.sign, 'points', s.points) order by s.points desc, s.place), '[]')
      from (
        select array_agg(lower(replace(a.attname, '_', ''))), (select c.relname from pg_class c where c.oid = p_table)
          from pg_attribute a
         where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
      ) t (columns, name)
     cross join (
       select array_agg(w.key) filter (where w.value = any (arcano.waiting_statuses())),
              -- Of a person, a plan or a switch, it is said as well.
              array_agg(w.key) filter (where w.value = any (arcano.working_statuses()) and lower(w.key) not in ('active', 'locked')),
              array_agg(w.key) filter (where w.value = 'failed')
         from jsonb_each_text(p_statuses) w
     ) w (waiting, working, failed)
     cross join lateral (
       values
         (1, 2, 'its name', arcano.guess_by_name(t.name)),
         (2, 1, 'words that wait', w.waiting is not null),
         (3, 1, 'words that work', w.working is not null),
         (4, 1, 'words that fail', w.failed is not null),
         (5, 1, 'when it started', arcano.guess_column(p_table, 'started_at') is not null),
         (6, 1, 'an error', arcano.guess_column(p_table, 'error_message') is not null or t.columns && array['errors', 'exception', 'log', 'logs', 'exitcode', 'stderr', 'failures']),
         (7, 1, 'what a worker or a provider writes', arcano.guess_column(p_table, 'task_id') is not null or arcano.guess_column(p_table, 'heartbeat_at') is not null
           or t.columns && array['attempt', 'attempts', 'tries', 'retries', 'retrycount', 'attemptcount', 'maxattempts', 'progress', 'percent', 'worker', 'workerid', 'runnerid', 'lockedby', 'claimedby',
             'queue', 'queuename', 'processeditems', 'totalsteps', 'elapsedtime']),
         (8, 1, 'what goes in or comes out', t.columns && array['input', 'inputs', 'output', 'outputs', 'outputurl', 'result', 'results', 'resulturl', 'imageurl', 'prompt', 'payload', 'params', 'parameters',
           'arguments', 'args', 'model', 'modelid', 'contentfile', 'filesize']),
         (9, 1, 'numbers for words', arcano.guess_by_name(t.name) and exists (
           select from pg_attribute a
            where a.attrelid = p_table and a.attname = arcano.guess_column(p_table, 'status') and a.atttypid in ('smallint'::regtype, 'integer'::regtype))),
         (10, -3, 'the name of something else', t.name ~* ('(order|purchase|sale|checkout|cart|payment|invoice|subscription|charge|refund|payout|transaction|transfer|user|account|member|membership|customer|invitation|invite|booking|appointment'
           || '|reservation|ticket|issue|notification|message|email|mail|delivery|webhook|post|article|comment|product|plan|licen[cs]e|flag|feature|session|device|subscriber|lead|deal|contact|shipment|todo|friendship|withdrawal|deposit|donation|trade|bet|verification|application|approval|vote|candidate|interview|lesson|course|enrollment|campaign|meeting|call|visit|match|game)(e?s)?$')),
         (11, -3, 'an amount of money', t.columns && array['currency', 'amount', 'subtotal', 'totalamount', 'amountpaid', 'amountdue', 'totalprice', 'totalcents', 'amountcents', 'shippingaddress', 'invoicenumber',
           'paidat', 'shippedat', 'deliveredat', 'currentperiodend', 'trialendsat', 'cancelatperiodend']),
         (12, -3, 'a person', t.columns && array['password', 'passwordhash', 'encryptedpassword', 'email', 'phone', 'assignee', 'assigneeid', 'assignedto', 'assignedtoid']),
         (13, -3, 'a date to be met', t.columns && array['due', 'dueat', 'duedate', 'dueon', 'deadline', 'publishedat'])
     ) s (place, points, sign, holds)
     where s.holds
  );
end
$$;

comment on function arcano.guess_signs(oid, jsonb) is
  'Internal: what makes p_table, whose words mean p_statuses, look like a table of jobs, and what speaks against it: sign and points, the strongest first.';

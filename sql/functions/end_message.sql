-- What is written to a job that is ended and to the journal, where nobody gave a reason of their own.
create or replace function arcano.end_message(p_cause text)
returns text
language sql immutable parallel safe
return case p_cause
  when 'orphan' then 'Auto-clean: orphan queued job (client failed before enqueue/run)'
  when 'charged_ghost' then 'Auto-clean: charged job that was never started'
  when 'stalled' then 'Auto-clean: stalled job (no sign of life from its worker)'
  else 'Cancelled'
end;

comment on function arcano.end_message(text) is
  'Internal: the error_message of a job that p_cause ends, a cause of end_jobs.';

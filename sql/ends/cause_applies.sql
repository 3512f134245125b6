-- Whether a cause ends a job, of which the rules say this. Asked of rows that are locked, in the statement that writes or in the
-- transaction that does:
--
--   orphan, charged_orphan       the rule matches, and its table is not only observed
--   stalled, unstarted, silent   the same
--   waiting                      it waits
--   forced                       it is worked on
--
-- Inlined into what uses it.
create or replace function arcano.cause_applies(
  p_cause text,
  p_is_open boolean,
  p_is_orphan boolean,
  p_is_charged_orphan boolean,
  p_is_waiting boolean,
  p_is_working boolean,
  p_stall_cause text,
  p_is_enforced boolean
)
returns boolean
language sql immutable parallel safe
return case
  when p_is_open then
    case p_cause
      when 'orphan' then p_is_orphan and p_is_enforced
      when 'charged_orphan' then p_is_charged_orphan and p_is_enforced
      when 'waiting' then p_is_waiting
      when 'forced' then p_is_working
      else p_stall_cause = p_cause and p_is_enforced
    end
end;

comment on function arcano.cause_applies(text, boolean, boolean, boolean, boolean, boolean, text, boolean) is
  'Internal: whether p_cause (of end_causes) ends a job of which judged_job says the rest.';

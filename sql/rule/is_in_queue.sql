-- Whether a job waits in the queue. In a plan it becomes the predicate of each attached table's partial index of the
-- queue.
create or replace function arcano.is_in_queue(p_status text, p_position integer, p_waited_in_queue boolean)
returns boolean
language sql immutable parallel safe
return arcano.is_waiting(p_status) and arcano.entered_queue(p_position, p_waited_in_queue);

comment on function arcano.is_in_queue(text, integer, boolean) is
  'Internal: whether a job of this status, position and waited_in_queue waits in the queue.';

-- Whether a job ever entered the queue: places begin at 1, and what is less is none. What it becomes in a plan is part of the predicates of each
-- attached table's indexes of the waiting jobs.
create or replace function arcano.entered_queue(p_position integer, p_waited_in_queue boolean)
returns boolean
language sql immutable parallel safe
return p_waited_in_queue is true or coalesce(p_position, 0) > 0;

comment on function arcano.entered_queue(integer, boolean) is
  'Internal: whether a job with this position and waited_in_queue entered the real queue.';

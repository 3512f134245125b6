-- The public interface, and who may use each part of it: the grants, the documentation and the tests all read this
-- list. What is not in it is internal.
--
-- Each role may also do what those before it may: arcano_user, about itself alone; arcano_backend; arcano_operator;
-- and last "owner", the role that migrated, for which no grant is needed.
create or replace function arcano.public_objects()
returns table (kind text, name text, least_role text)
language sql immutable parallel safe
begin atomic
  values
    ('function', 'check_user_active', 'arcano_user'),
    ('function', 'create_job', 'arcano_user'),
    ('function', 'touch_job', 'arcano_user'),
    ('function', 'cancel_job', 'arcano_user'),
    ('function', 'cancel_session', 'arcano_user'),
    ('function', 'leave_session', 'arcano_user'),
    ('function', 'queue_position', 'arcano_user'),
    ('function', 'explain_job', 'arcano_user'),

    ('function', 'start_job', 'arcano_backend'),
    ('function', 'start_jobs', 'arcano_backend'),
    ('function', 'touch_jobs', 'arcano_backend'),
    ('function', 'finish_job', 'arcano_backend'),
    ('function', 'finish_jobs', 'arcano_backend'),
    ('function', 'finish_task', 'arcano_backend'),
    ('function', 'fail_job', 'arcano_backend'),
    ('function', 'run_or_queue', 'arcano_backend'),
    ('function', 'claim_jobs', 'arcano_backend'),
    ('function', 'requeue_job', 'arcano_backend'),
    ('function', 'stalling_jobs', 'arcano_backend'),
    ('function', 'only_backends_may_call', 'arcano_backend'),

    ('function', 'sweep_orphans', 'arcano_operator'),
    ('function', 'set_job_table', 'arcano_operator'),
    ('function', 'set_account', 'arcano_operator'),
    ('function', 'drop_account', 'arcano_operator'),
    ('function', 'set_position_refresh', 'arcano_operator'),
    ('function', 'set_retention', 'arcano_operator'),
    ('function', 'set_longest_wait', 'arcano_operator'),
    ('function', 'set_refund_function', 'arcano_operator'),
    ('function', 'set_identity_function', 'arcano_operator'),
    ('function', 'settle_refund', 'arcano_operator'),
    ('function', 'restore_job', 'arcano_operator'),
    ('function', 'check_health', 'arcano_operator'),
    ('view', 'active_job', 'arcano_operator'),
    ('view', 'orphan_job', 'arcano_operator'),
    ('view', 'charged_orphan', 'arcano_operator'),
    ('view', 'observed_job', 'arcano_operator'),
    ('view', 'observed_table', 'arcano_operator'),
    ('view', 'job_in_queue', 'arcano_operator'),
    ('view', 'job_table_status', 'arcano_operator'),
    ('view', 'queue_status', 'arcano_operator'),
    ('view', 'sweep_status', 'arcano_operator'),
    ('view', 'account_status', 'arcano_operator'),
    ('view', 'refund_due', 'arcano_operator'),
    ('view', 'metric', 'arcano_operator'),
    ('table', 'job_table', 'arcano_operator'),
    ('table', 'account', 'arcano_operator'),
    ('table', 'setting', 'arcano_operator'),
    ('table', 'refund', 'arcano_operator'),
    ('table', 'task', 'arcano_operator'),
    ('table', 'job_event', 'arcano_operator'),
    ('table', 'job_backoff', 'arcano_operator'),
    ('table', 'sweep_run', 'arcano_operator'),

    ('function', 'attach_job_table', 'owner'),
    ('function', 'attach_steps', 'owner'),
    ('function', 'detach_job_table', 'owner'),
    ('function', 'detach_steps', 'owner'),
    ('function', 'check_job_table', 'owner'),
    ('function', 'grace_advice', 'owner'),
    ('function', 'schedule_sweeper', 'owner'),
    ('function', 'unschedule_sweeper', 'owner'),
    ('function', 'claimed_user', 'owner'),
    ('function', 'public_objects', 'owner');
end;

comment on function arcano.public_objects() is
  'The public interface: each function, view and table of it, and least_role: who may use it, with all roles above (arcano_user, arcano_backend, arcano_operator, owner: who migrated).';

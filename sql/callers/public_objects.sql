-- The public interface, and who may use each part of it: the grants, the documentation and the tests all read this
-- list. What is not in it is internal.
--
-- arcano_api is for arcano_user alone. In arcano each role may also do what those before it may: arcano_backend;
-- arcano_operator; and last "owner", the role that migrated, for which no grant is needed.
create or replace function arcano.public_objects()
returns table (schema name, kind text, name text, least_role text)
language sql immutable parallel safe
begin atomic
  values
    ('arcano_api', 'function', 'check_user_active', 'arcano_user'),
    ('arcano_api', 'function', 'create_job', 'arcano_user'),
    ('arcano_api', 'function', 'queue_job', 'arcano_user'),
    ('arcano_api', 'function', 'touch_job', 'arcano_user'),
    ('arcano_api', 'function', 'cancel_job', 'arcano_user'),
    ('arcano_api', 'function', 'cancel_session', 'arcano_user'),
    ('arcano_api', 'function', 'leave_session', 'arcano_user'),
    ('arcano_api', 'function', 'queue_position', 'arcano_user'),
    ('arcano_api', 'function', 'explain_job', 'arcano_user'),
    ('arcano_api', 'function', 'my_jobs', 'arcano_user'),

    ('arcano', 'function', 'check_user_active', 'arcano_backend'),
    ('arcano', 'function', 'active_jobs_of', 'arcano_backend'),
    ('arcano', 'function', 'create_job', 'arcano_backend'),
    ('arcano', 'function', 'open_table', 'arcano_backend'),
    ('arcano', 'function', 'open_tables', 'arcano_backend'),
    ('arcano', 'function', 'refuse_chosen_id', 'arcano_backend'),
    ('arcano', 'function', 'touch_job', 'arcano_backend'),
    ('arcano', 'function', 'cancel_job', 'arcano_backend'),
    ('arcano', 'function', 'cancel_session', 'arcano_backend'),
    ('arcano', 'function', 'leave_session', 'arcano_backend'),
    ('arcano', 'function', 'queue_position', 'arcano_backend'),
    ('arcano', 'function', 'explain_job', 'arcano_backend'),

    ('arcano', 'function', 'start_job', 'arcano_backend'),
    ('arcano', 'function', 'start_jobs', 'arcano_backend'),
    ('arcano', 'function', 'touch_jobs', 'arcano_backend'),
    ('arcano', 'function', 'finish_job', 'arcano_backend'),
    ('arcano', 'function', 'finish_jobs', 'arcano_backend'),
    ('arcano', 'function', 'finish_task', 'arcano_backend'),
    ('arcano', 'function', 'fail_job', 'arcano_backend'),
    ('arcano', 'function', 'run_or_queue', 'arcano_backend'),
    ('arcano', 'function', 'claim_jobs', 'arcano_backend'),
    ('arcano', 'function', 'requeue_job', 'arcano_backend'),
    ('arcano', 'function', 'stalling_jobs', 'arcano_backend'),

    ('arcano', 'function', 'sweep_orphans', 'arcano_operator'),
    ('arcano', 'function', 'set_job_table', 'arcano_operator'),
    ('arcano', 'function', 'set_account', 'arcano_operator'),
    ('arcano', 'function', 'drop_account', 'arcano_operator'),
    ('arcano', 'function', 'set_position_refresh', 'arcano_operator'),
    ('arcano', 'function', 'set_notifications', 'arcano_operator'),
    ('arcano', 'function', 'set_retention', 'arcano_operator'),
    ('arcano', 'function', 'set_longest_wait', 'arcano_operator'),
    ('arcano', 'function', 'set_refund_function', 'arcano_operator'),
    ('arcano', 'function', 'set_identity_function', 'arcano_operator'),
    ('arcano', 'function', 'settle_refund', 'arcano_operator'),
    ('arcano', 'function', 'restore_job', 'arcano_operator'),
    ('arcano', 'function', 'erase_user', 'arcano_operator'),
    ('arcano', 'function', 'check_health', 'arcano_operator'),
    ('arcano', 'view', 'active_job', 'arcano_operator'),
    ('arcano', 'view', 'orphan_job', 'arcano_operator'),
    ('arcano', 'view', 'charged_orphan', 'arcano_operator'),
    ('arcano', 'view', 'observed_job', 'arcano_operator'),
    ('arcano', 'view', 'observed_table', 'arcano_operator'),
    ('arcano', 'view', 'job_in_queue', 'arcano_operator'),
    ('arcano', 'view', 'job_table_status', 'arcano_operator'),
    ('arcano', 'view', 'queue_status', 'arcano_operator'),
    ('arcano', 'view', 'sweep_status', 'arcano_operator'),
    ('arcano', 'view', 'account_status', 'arcano_operator'),
    ('arcano', 'view', 'refund_due', 'arcano_operator'),
    ('arcano', 'view', 'metric', 'arcano_operator'),
    ('arcano', 'table', 'job_table', 'arcano_operator'),
    ('arcano', 'table', 'account', 'arcano_operator'),
    ('arcano', 'table', 'setting', 'arcano_operator'),
    ('arcano', 'table', 'refund', 'arcano_operator'),
    ('arcano', 'table', 'task', 'arcano_operator'),
    ('arcano', 'table', 'provider_task', 'arcano_operator'),
    ('arcano', 'table', 'request', 'arcano_operator'),
    ('arcano', 'table', 'job_event', 'arcano_operator'),
    ('arcano', 'table', 'job_backoff', 'arcano_operator'),
    ('arcano', 'table', 'sweep_run', 'arcano_operator'),
    ('arcano', 'table', 'away', 'arcano_operator'),

    ('arcano', 'function', 'attach_job_table', 'owner'),
    ('arcano', 'function', 'attach_steps', 'owner'),
    ('arcano', 'function', 'detach_job_table', 'owner'),
    ('arcano', 'function', 'detach_steps', 'owner'),
    ('arcano', 'function', 'check_job_table', 'owner'),
    ('arcano', 'function', 'grace_advice', 'owner'),
    ('arcano', 'function', 'schedule_sweeper', 'owner'),
    ('arcano', 'function', 'unschedule_sweeper', 'owner'),
    ('arcano', 'function', 'claimed_user', 'owner'),
    ('arcano', 'function', 'public_objects', 'owner');
end;

comment on function arcano.public_objects() is
  'The public interface: each function, view and table of it, its schema, and least_role: who may use it (arcano_user, of arcano_api alone; arcano_backend, arcano_operator, owner: who migrated; each may also use what is for those before it).';

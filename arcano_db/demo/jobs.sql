-- The jobs of the demo: the incident's row, and beside it jobs that the rule must leave alone.

insert into public.users (id, email)
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, format('user%s@example.com', n)
  from generate_series(1, 1005) n;

-- The incident: inserted before the upload, and then the phone suspended the app half-way.
insert into public.upscaler_jobs
  (id, user_id, status, task_id, started_at, "position", waited_in_queue, created_at)
values
  ('6b56dbb4-328d-460e-8aa1-4aaa8146641b', '00000000-0000-4000-8000-000000000001',
   'queued', null, null, null, false, now() - interval '3 hours');

-- Really in the queue, and for longer than the ghost.
insert into public.upscaler_jobs (user_id, session_id, "position", waited_in_queue, created_at)
values ('00000000-0000-4000-8000-000000000002', 'visit-2', 4, true, now() - interval '4 hours');

-- The provider is working on it.
insert into public.video_upscaler_jobs (user_id, session_id, status, task_id, created_at, started_at)
values ('00000000-0000-4000-8000-000000000003', 'visit-3', 'running', 'task-17',
        now() - interval '2 hours', now() - interval '1 hour');

-- Nothing happened to it yet, but its user paid.
insert into public.pose_changer_jobs (user_id, credits_charged, created_at)
values ('00000000-0000-4000-8000-000000000004', true, now() - interval '1 hour');

-- Made seconds ago: the client may still be uploading.
insert into public.veste_ai_jobs (user_id, created_at)
values ('00000000-0000-4000-8000-000000000005', now() - interval '10 seconds');

-- A thousand ghosts of users who never came back, over all four tables.

insert into public.upscaler_jobs (user_id, created_at)
select u.id, now() - interval '2 days' from public.users u order by u.id offset 5 limit 250;

insert into public.video_upscaler_jobs (user_id, created_at)
select u.id, now() - interval '2 days' from public.users u order by u.id offset 255 limit 250;

insert into public.pose_changer_jobs (user_id, created_at)
select u.id, now() - interval '2 days' from public.users u order by u.id offset 505 limit 250;

insert into public.veste_ai_jobs (user_id, created_at)
select u.id, now() - interval '2 days' from public.users u order by u.id offset 755 limit 250;

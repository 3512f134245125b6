-- What the app asked before a new job: is there one of this user that is queued or running?

select count(*)
  from (
    select user_id, status from public.upscaler_jobs
    union all
    select user_id, status from public.video_upscaler_jobs
    union all
    select user_id, status from public.pose_changer_jobs
    union all
    select user_id, status from public.veste_ai_jobs
  ) j
 where j.user_id = %s
   and (j.status = 'queued' or j.status = 'pending'
     or j.status = 'running');

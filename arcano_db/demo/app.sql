-- The app of the demo and the tests: four tables of jobs as such an app has them, each with columns,
-- defaults, indexes, a foreign key and row level security of its own, and none with the whole contract.

create table public.users (
  id uuid primary key,
  email text not null unique
);

create table public.upscaler_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  session_id text,
  status text not null default 'queued',
  task_id text,
  "position" integer,
  waited_in_queue boolean not null default false,
  user_credit_cost integer not null default 0,
  input_image_url text,
  output_url text,
  scale integer not null default 2 check (scale in (2, 4, 8)),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  error_message text
);

create index upscaler_jobs_user on public.upscaler_jobs (user_id, created_at desc);
create index upscaler_jobs_task on public.upscaler_jobs (task_id) where task_id is not null;

create table public.video_upscaler_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.users (id) on delete cascade,
  session_id text,
  status text not null default 'queued',
  task_id text,
  "position" integer,
  waited_in_queue boolean default false,
  user_credit_cost integer default 150,
  credits_charged boolean default false,
  credits_refunded boolean default false,
  video_url text,
  seconds numeric(8, 2),
  created_at timestamptz default now(),
  started_at timestamptz,
  completed_at timestamptz,
  api_account text,
  error_message text,
  constraint video_upscaler_jobs_status_check check (
    status in (
      'pending', 'queued',
      'starting', 'running',
      'completed', 'failed', 'cancelled'
    )
  )
);

create index video_upscaler_jobs_user on public.video_upscaler_jobs (user_id);

create table public.pose_changer_jobs (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references public.users (id),
  session_id text,
  status text default 'pending',
  task_id text,
  "position" integer default 0,
  waited_in_queue boolean,
  user_credit_cost integer default 60,
  credits_charged boolean default false,
  prompt text,
  images jsonb not null default '[]',
  created_at timestamptz default now(),
  started_at timestamptz,
  completed_at timestamptz,
  error_message text
);

create table public.veste_ai_jobs (
  id uuid not null default gen_random_uuid(),
  user_id uuid not null,
  status text not null default 'queued',
  task_id text,
  garment_url text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  primary key (id)
);

create index veste_ai_jobs_recent on public.veste_ai_jobs (created_at desc);

alter table public.upscaler_jobs enable row level security;
alter table public.video_upscaler_jobs enable row level security;
alter table public.pose_changer_jobs enable row level security;
alter table public.veste_ai_jobs enable row level security;

create policy own_jobs on public.upscaler_jobs
  using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);
create policy own_jobs on public.video_upscaler_jobs
  using (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

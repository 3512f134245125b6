-- As Supabase has it: users in another schema, row level security by auth.uid(), roles that PostgREST sets.
create schema auth;
create table auth.users (id uuid primary key, email text);

create function auth.uid() returns uuid language sql stable as
  $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;

grant usage on schema auth, public to anon, authenticated, service_role;
grant execute on function auth.uid() to anon, authenticated, service_role;

create table public.generations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  status text not null default 'queued'
    check (status in ('queued', 'running', 'completed', 'failed')),
  prompt text,
  user_credit_cost integer not null default 150,
  created_at timestamptz not null default now(),
  started_at timestamptz
);

alter table public.generations enable row level security;
create policy "own generations" on public.generations to authenticated
  using (auth.uid() = user_id) with check (auth.uid() = user_id);
grant select, insert on public.generations to authenticated;
grant all on public.generations to service_role;

insert into auth.users values
  ('00000000-0000-4000-8000-000000000001', 'ana@example.com'),
  ('00000000-0000-4000-8000-000000000002', 'bia@example.com');
insert into public.generations (id, user_id, status, prompt, created_at) values
  ('6b56dbb4-328d-460e-8aa1-4aaa8146641b', '00000000-0000-4000-8000-000000000001', 'queued', 'a cat', now() - interval '3 hours'),
  ('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-000000000002', 'running', 'a dog', now() - interval '1 minute');

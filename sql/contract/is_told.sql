-- Whether this session has said that it is sure of what is refused otherwise: set arcano.force = on;
create or replace function arcano.is_told(p_setting text)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(nullif(current_setting('arcano.' || p_setting, true), ''), 'off')::boolean
$$;

comment on function arcano.is_told(text) is
  'Internal: whether the setting arcano.<p_setting> is on.';

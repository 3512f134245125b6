-- What end users may call, in a schema of its own, the one that a gateway such as PostgREST exposes: no function there
-- takes a user, each finds out who calls. Schema arcano is for backends and operators, whose word counts.
create schema if not exists arcano_api;

comment on schema arcano_api is
  'Arcano DB for end users: each function acts for the user who calls, known from a gateway or from the registered identity function.';

revoke all on schema arcano_api from public;

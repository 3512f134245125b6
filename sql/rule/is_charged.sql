-- Whether the user paid for a job. Where nobody wrote it down, a cost above 0 counts as charged.
create or replace function arcano.is_charged(p_credits_charged boolean, p_user_credit_cost integer)
returns boolean
language sql immutable parallel safe
return coalesce(p_credits_charged, p_user_credit_cost > 0, false);

comment on function arcano.is_charged(boolean, integer) is
  'Internal: whether a job with these credits_charged and user_credit_cost was charged.';

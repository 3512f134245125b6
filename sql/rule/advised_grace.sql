-- How much grace the history of a table asks for: three times what all but one job in a thousand took to show their first sign of
-- life, and never less than real jobs have needed elsewhere.
create or replace function arcano.advised_grace(p_percentile_999 interval)
returns interval
language sql immutable parallel safe
return greatest('2 minutes'::interval, date_trunc('second', 3 * p_percentile_999) + '1 second'::interval);

comment on function arcano.advised_grace(interval) is
  'Internal: the orphan_after that is advised where all but one job in a thousand took no longer than p_percentile_999 to start.';

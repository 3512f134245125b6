-- Which status the journal's event gave its job; null: the event ended none, and there is nothing to undo.
create or replace function arcano.status_given(p_event text)
returns text
language sql immutable parallel safe
return case
  when p_event in ('healed', 'cancelled', 'force_cancelled') then 'cancelled'
  when p_event in ('stalled', 'failed') then 'failed'
  when p_event = 'completed' then 'completed'
end;

comment on function arcano.status_given(text) is
  'Internal: the status that a job had after p_event of the journal ended it; null for any other event.';

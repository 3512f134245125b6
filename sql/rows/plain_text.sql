-- Text that somebody else wrote, such as the message of an exception, as a job and the journal keep it: without control
-- characters but tabs and ends of lines, and of at most 10,000 characters, after which it says how many there were.
create or replace function arcano.plain_text(p_text text)
returns text
language sql stable parallel safe
return regexp_replace(
  case
    when length(p_text) > 10000 then format('%s... (%s characters)', left(p_text, 9900), length(p_text))
    else p_text
  end,
  -- In other encodings the bytes behind those of ASCII are letters.
  case getdatabaseencoding()
    when 'UTF8' then '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]'
    else '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]'
  end,
  '?', 'g'
);

comment on function arcano.plain_text(text) is
  'Internal: p_text with "?" for each control character, and cut after 10,000 characters.';

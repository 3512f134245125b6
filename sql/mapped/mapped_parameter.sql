-- An id that a caller gives, as the type of the table's own column. The parameter is cast, and never the column, so that an
-- index finds it. What is no canonical spelling of such a value is nobody's id: it is null, and no error, and reads nothing.
create or replace function arcano.mapped_parameter(p_parameter text, p_type text, p_column text)
returns text
language sql stable
return case
  when p_type = arcano.contract_type(p_column) then p_parameter
  when p_type = 'uuid' then
    format('case when %1$s::text ~ ''^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'' then %1$s::text::uuid end', p_parameter)
  when p_type in ('bigint', 'integer', 'smallint') then
    format('case when %1$s::text ~ ''^(0|-?[1-9][0-9]{0,18})$'' then case when %1$s::text::numeric between %2$s then %1$s::text::%3$s end end', p_parameter,
      case p_type when 'bigint' then '-9223372036854775808 and 9223372036854775807' when 'integer' then '-2147483648 and 2147483647' else '-32768 and 32767' end, p_type)
  else format('%s::text', p_parameter)
end;

comment on function arcano.mapped_parameter(text, text, text) is
  'Internal: the SQL that makes the parameter p_parameter, which is of the type of the contract''s p_column, a value of p_type (uuid, bigint, integer, smallint or text), or null.';

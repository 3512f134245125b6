-- Whether a statement that reads a mapped table can be planned, or run: as which error. Not what others hold or do, nor what the server
-- lacks (see read_failures).
--
-- Dynamic, because a mapped table's columns are not known before.
create or replace function arcano.failure_of(p_statement text, p_column text default null)
returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_job_id arcano.job.id%type;
begin
  case p_column
    when 'user_id' then execute p_statement using v_user_id;
    when 'id' then execute p_statement using v_job_id;
    else execute p_statement;
  end case;
  return null;
exception
  when transaction_rollback or object_not_in_prerequisite_state or insufficient_resources or operator_intervention or system_error then
    raise;
  when others then
    return sqlstate || ': ' || sqlerrm;
end
$$;

comment on function arcano.failure_of(text, text) is
  'Internal: the error that p_statement gives; null: none. p_column: of which column of the contract its parameter is, and it is null (null: it has none).';

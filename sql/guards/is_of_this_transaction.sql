-- Whether a row that can be seen was written by this transaction. Else the one that wrote it has committed.
--
-- A row has the short number of its transaction; what PostgreSQL knows of one is asked by the long number, and that is the
-- one nearest to this transaction's.
create or replace function arcano.is_of_this_transaction(p_xmin xid)
returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_this constant bigint := pg_current_xact_id()::text;
  v_later constant bigint := (p_xmin::text::bigint - v_this) & 4294967295;
  v_its constant bigint := v_this + case when v_later < 2147483648 then v_later else v_later - 4294967296 end;
begin
  return v_its > 2 and coalesce(pg_xact_status(v_its::text::xid8) = 'in progress', false);
end
$$;

comment on function arcano.is_of_this_transaction(xid) is
  'Internal: whether the visible row with this xmin was written by the transaction that asks, or a part of it.';

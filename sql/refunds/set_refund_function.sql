-- Registers the app's own function that gives credits back.
create or replace function arcano.set_refund_function(p_function text)
returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set quote_all_identifiers = off -- a caller's setting must not change the name of a type
as $$
declare
  v_user_id arcano.job.user_id%type;
  v_function constant record := arcano.find_function(
    p_function, 'refund', format('%s, integer, text', pg_typeof(v_user_id)), array['boolean', 'void']::regtype[],
    format('public.refund_credits(%s,integer,text), for user, amount and reference', pg_typeof(v_user_id)));
begin
  update arcano.setting
     set refund_function = v_function.function_name, refund_function_oid = v_function.function_oid,
         refund_function_owner = v_function.function_owner;
end
$$;

comment on function arcano.set_refund_function(text) is
  'Sets the function that gives credits back, such as public.refund_credits(uuid,integer,text): it gets the user, the amount that was charged, and a reference that is never given for two charges and stays the same of one, and is called in the transaction that ends the job. If it raises or answers false, the refund stays due and is tried again by the sweep. What is called is this function, for as long as it belongs to whom it belongs now; public or arcano_operator must be allowed to execute it. Null: none, and refunds stay due until settle_refund.';

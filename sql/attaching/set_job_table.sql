-- Changes settings of an attached table or a mapped one; those not named stay as they are.
create or replace function arcano.set_job_table(p_table regclass, p_settings jsonb)
returns arcano.job_table
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_settings arcano.job_table%rowtype;
  v_wrong text;
  v_column text;
  v_constraint text;
begin
  -- Who attaches locks the table and then the row.
  lock table arcano.job_table in row exclusive mode;
  select t.* into v_settings from arcano.job_table t where t.job_table = p_table for update;
  if not found then
    perform arcano.refuse_unattached(p_table);
  end if;

  perform arcano.refuse_unknown_settings(p_settings);

  -- What only columns of the package's own can keep. To switch one off says nothing.
  select string_agg(k.key, ', ' order by k.key) into v_wrong
    from arcano.mapping m
   cross join lateral jsonb_object_keys(jsonb_strip_nulls(p_settings)) k (key)
   where m.relid = p_table
     and k.key in ('starting_stall_after', 'charged_orphan_after', 'refund_when', 'user_columns', 'id_form', 'max_attempts')
     and not (k.key = 'starting_stall_after' and m.statuses @? '$.* ? (@ == "starting")');
  if v_wrong is not null then
    raise exception '% is mapped, and has no setting %', p_table, v_wrong
      using errcode = 'invalid_parameter_value',
        detail = 'Refunds, claims, and jobs that end users make are for attached tables.',
        hint = case when v_wrong ~ 'user_columns' then 'Let the app insert its users'' jobs, after admit_user says so. Or attach it: ' else '' end
          || format('arcano-db unmap %s; arcano-db attach %1$s', p_table);
  end if;

  v_settings := jsonb_populate_record(v_settings, p_settings);
  v_settings.orphan_after := arcano.plain_seconds(v_settings.orphan_after);
  v_settings.touch_limit := arcano.plain_seconds(v_settings.touch_limit);
  v_settings.stall_after := arcano.plain_seconds(v_settings.stall_after);
  v_settings.starting_stall_after := arcano.plain_seconds(v_settings.starting_stall_after);
  v_settings.charged_orphan_after := arcano.plain_seconds(v_settings.charged_orphan_after);
  perform arcano.refuse_settings(v_settings);
  perform '' ~ v_settings.id_form; -- raises if it is no regular expression
  if exists (
    select
      from unnest(v_settings.user_columns) u (name)
     where not exists (select from pg_attribute a where a.attrelid = p_table and a.attname = u.name and a.attnum > 0
                          and a.attgenerated = '' and a.attidentity <> 'a')
        or exists (select from pg_attribute c where c.attrelid = 'arcano.job'::regclass and c.attname = u.name)
  ) then
    raise exception 'user_columns must be columns of % that can be given, and none of the contract''s', p_table
      using errcode = 'invalid_parameter_value', detail = format('They are %s.', v_settings.user_columns),
        hint = 'Only a backend sets the contract''s.';
  end if;

  -- An operator who sets the mode has looked at the table: what was healed before no longer counts for the breaker.
  if p_settings ? 'mode' then
    v_settings.breaker_tripped_at := null;
    v_settings.enforced_since := clock_timestamp();
  end if;
  update arcano.job_table t
     set mode = v_settings.mode, breaker_share = v_settings.breaker_share,
         breaker_tripped_at = v_settings.breaker_tripped_at, enforced_since = v_settings.enforced_since,
         tool = v_settings.tool, orphan_after = v_settings.orphan_after, touch_limit = v_settings.touch_limit,
         stall_after = v_settings.stall_after, starting_stall_after = v_settings.starting_stall_after,
         charged_orphan_after = v_settings.charged_orphan_after, refund_when = v_settings.refund_when,
         user_columns = v_settings.user_columns, id_form = v_settings.id_form,
         journal_value_limit = v_settings.journal_value_limit, max_attempts = v_settings.max_attempts
   where t.job_table = p_table;
  return v_settings;
exception
  when data_exception or not_null_violation or check_violation then
    if sqlstate = '22023' then
      raise;
    end if;
    get stacked diagnostics v_column = column_name, v_constraint = constraint_name;
    perform arcano.refuse_setting(p_settings, v_column, v_constraint, sqlerrm);
    raise; -- it does not come back
end
$$;

comment on function arcano.set_job_table(regclass, jsonb) is
  'Changes settings of p_table, such as {"stall_after": "10 minutes"}, and answers all of them: tool, orphan_after, touch_limit, stall_after, starting_stall_after, charged_orphan_after, refund_when (which ends are refunded: failed, stalled, forced), user_columns (what end users may give in p_data; [] opens the table to them with no column, null closes it), id_form (of the text ids that arcano_user may choose), mode (enforce, or observe: only journal what would be ended), max_attempts (how often a job whose worker fell silent is put back into the queue), breaker_share (of an hour''s jobs that may be ghosts before the sweep sets mode to observe), journal_value_limit (how many bytes of a value the journal keeps whole). Null switches a limit off. A mapped table has no charged_orphan_after, refund_when, user_columns, id_form and max_attempts, and starting_stall_after only where a word of it means starting. The column comments of arcano.job_table say what each does.';

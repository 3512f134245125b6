-- The limits of a table's settings. The least value of each is one that did not kill real jobs; whoever is sure may go
-- below it, after: set arcano.force = on;
create or replace function arcano.refuse_settings(p_settings arcano.job_table)
returns void
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_default constant arcano.job_table := arcano.table_settings(null);
  v_force constant boolean := arcano.is_told('force');
  v_wrong record;
begin
  select s.name, s.value, l.least, s.why, s.hint, case when v_force then l.least::text else s.least end as said into v_wrong
    from (
      values
        ('orphan_after', p_settings.orphan_after, '2 minutes',
          '20 to 30 seconds killed real jobs that were still initialising; 120 to 180 seconds was the least that did not.',
          format('The default is %s.', v_default.orphan_after)),
        ('touch_limit', p_settings.touch_limit, '0 seconds', null, format('The default is %s.', v_default.touch_limit)),
        ('stall_after', coalesce(p_settings.stall_after, '1 day'), '1 minute',
          'A busy worker may be silent for longer.', 'Null: no limit.'),
        ('starting_stall_after', coalesce(p_settings.starting_stall_after, '1 day'), '1 minute',
          'A busy worker may be silent for longer.', 'Null: the same as stall_after.'),
        ('charged_orphan_after', coalesce(p_settings.charged_orphan_after, '10 years'), p_settings.orphan_after::text,
          'A job that somebody paid for is left alone for at least as long as another.', 'Null: for ever.')
    ) s (name, value, least, why, hint)
   cross join lateral (
     select case when v_force then least(s.least::interval, '1 second') else s.least::interval end
   ) l (least)
   where (s.value between l.least and interval '10 years') is not true
   limit 1;
  if found then
    raise exception '% must be between % and 10 years, not %', v_wrong.name,
        v_wrong.said,
        coalesce(v_wrong.value::text, 'null')
      using errcode = 'invalid_parameter_value', detail = coalesce(v_wrong.why, ''),
        hint = v_wrong.hint || case when v_wrong.value between '1 second' and v_wrong.least
          then ' If you are sure of less: set arcano.force = on;' else '' end;
  end if;
end
$$;

comment on function arcano.refuse_settings(arcano.job_table) is
  'Internal: raises if one of p_settings is out of range.';

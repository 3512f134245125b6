-- What to do where a table cannot be attached: the statements that mend it, if they mend all of it, and else the call that maps it.
-- It can be run as it is.
create or replace function arcano.attach_hint(p_table regclass)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when m.mends is null then coalesce(i.instead, arcano.other_id_types(p_table),
             '-- Of the types of ids that this installation has, none suits it. One with --id-type text and --user-id-type text holds ids of all types: after arcano-db uninstall, or in another database.')
           else concat_ws(e'\n', m.mends, case when strpos(m.mends, i.instead) = 0 then '-- Or map it, and alter nothing of it: ' || replace(i.instead, e'\n', ' ') end)
         end
    from (
      select case when bool_and(d.mend is not null) then string_agg(d.mend, e'\n' order by d.place) end
        from (
          select a.mend, min(a.place) as place
            from arcano.attach_problems(p_table) with ordinality a (errcode, problem, mend, place)
           group by a.mend
        ) d
    ) m (mends)
   cross join arcano.mapped_instead(p_table) i (instead)
$$;

comment on function arcano.attach_hint(regclass) is
  'Internal: what mends p_table, which cannot be attached, or else maps it.';

-- A contract column that is there must be exactly as the contract has it.
create or replace function arcano.column_problems(p_table regclass, out problem text, out mend text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select format('column %I is %s%s%s, the contract has %s', c.attname, format_type(c.atttypid, c.atttypmod),
             case when t.other_collation then ' collate ' || c.attcollation::regcollation end,
             case when c.attgenerated <> '' then ', generated' end, t.wanted),
           format(
             case
               -- Numbers and other ids are not made of each other.
               when k.attname in ('id', 'user_id') and (a.typcategory = 'N') <> (w.typcategory = 'N') then
                 'arcano-db uninstall, and then arcano-db migrate with --id-type and --user-id-type as your tables have them: %2$I is %6$s here. (The types are chosen once, when installing.)'
               -- In this time zone the stored values stay as they are, and the table is not rewritten.
               when c.atttypid = 'timestamp'::regtype and k.atttypid = 'timestamptz'::regtype and c.attgenerated = ''
                 then 'set timezone = ''UTC''; alter table %1$s alter column %2$I type %3$s; reset timezone;'
               when c.attgenerated = 's' then 'alter table %1$s alter column %2$I drop expression;'
               when c.attgenerated = 'v' then 'alter table %1$s drop column %2$I, add column %2$I %3$s;'
               else 'alter table %1$s alter column %2$I type %3$s%4$s using %5$s;'
             end,
             p_table, c.attname, t.wanted,
             case when t.other_collation then ' collate ' || k.attcollation::regcollation end,
             case
               when k.atttypid = 'timestamptz'::regtype and c.atttypid = 'date'::regtype
                 then format('%I::timestamp at time zone %L', c.attname, 'UTC')
               when k.atttypid in (c.atttypid, 'text'::regtype) then format('%I::%s', c.attname, t.wanted)
               else format('%I::text::%s', c.attname, t.wanted)
             end,
             format_type(c.atttypid, c.atttypmod))
      from pg_attribute k
      join pg_attribute c on c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
      join pg_type a on a.oid = c.atttypid
      join pg_type w on w.oid = k.atttypid
      cross join lateral (
        select format_type(k.atttypid, k.atttypmod),
               c.attcollation <> k.attcollation and c.attcollation <> 0 and k.attcollation <> 0
      ) t (wanted, other_collation)
     where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
       and (c.atttypid <> k.atttypid or c.atttypmod <> k.atttypmod or t.other_collation or c.attgenerated <> '')
     order by k.attnum;
end
$$;

comment on function arcano.column_problems(regclass) is
  'Internal: each contract column that p_table has otherwise than the contract, and the statement that would mend it.';

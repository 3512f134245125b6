-- A contract column that is there must be exactly as the contract has it. A statement that mends it is given only where it runs as it
-- is and changes no meaning: where a column is of another type because it says something else, or says it otherwise (an amount, an
-- enum, a date without time zone), the app would be broken by the mend. Such a table is to be mapped.
create or replace function arcano.column_problems(p_table regclass, out problem text, out mend text)
returns setof record
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select format('column %I is %s%s%s, the contract has %s%s', c.attname, format_type(c.atttypid, c.atttypmod),
             case when t.other_collation then ' collate ' || c.attcollation::regcollation end,
             case when c.attgenerated <> '' then ', generated' end, t.wanted,
             concat(case when c.atttypid = 'timestamp'::regtype and k.atttypid = 'timestamptz'::regtype then '; in which time zone it is written, only the app knows' end,
               '; its type cannot be altered while ' || u.users || ' use it')),
           case
             when k.attname in ('id', 'user_id') and a.typcategory <> w.typcategory then arcano.other_id_types(p_table)
             when t.is_kept and u.users is null then
               format('alter table %s alter column %I type %s%s; -- %s', p_table, c.attname, t.wanted,
                 case when t.other_collation then ' collate ' || k.attcollation::regcollation end,
                 case when c.atttypid = 'smallint'::regtype or c.atttypid = 'bpchar'::regtype then 'rewrites the table, which nobody can use meanwhile'
                   when t.other_collation then 'builds indexes of the column anew; nobody can use the table meanwhile'
                   when c.atttypid = 'varchar'::regtype then 'for a moment: nothing is rewritten; functions of yours that return it as character varying need the new type too'
                   else 'for a moment: nothing is rewritten' end)
           end
      from pg_attribute k
      join pg_attribute c on c.attrelid = p_table and c.attname = k.attname and not c.attisdropped
      join pg_type a on a.oid = c.atttypid
      join pg_type w on w.oid = k.atttypid
      cross join lateral (
        select format_type(k.atttypid, k.atttypmod),
               c.attcollation <> k.attcollation and c.attcollation <> 0 and k.attcollation <> 0,
               c.attgenerated = '' and (c.atttypid, k.atttypid) in (
                 ('varchar'::regtype, 'text'::regtype), ('bpchar'::regtype, 'text'::regtype), ('text'::regtype, 'text'::regtype),
                 ('smallint'::regtype, 'integer'::regtype), ('timestamptz'::regtype, 'timestamptz'::regtype))
      ) t (wanted, other_collation, is_kept)
      cross join lateral (select arcano.column_users(p_table, c.attnum)) u (users)
     where k.attrelid = 'arcano.job'::regclass and k.attnum > 0 and not k.attisdropped
       and (c.atttypid <> k.atttypid or c.atttypmod <> k.atttypmod or t.other_collation or c.attgenerated <> '')
     order by k.attnum;
end
$$;

comment on function arcano.column_problems(regclass) is
  'Internal: each contract column that p_table has otherwise than the contract, and the statement that would mend it; null: none would without changing what the column means.';

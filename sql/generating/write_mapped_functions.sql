-- Writes the functions that are generated, which read all mapped tables, each by its own statement:
--
--   generated_has_tables()         whether any is mapped
--   generated_is_busy(user)        whether one of them has an open job of the user
--   generated_jobs_of_user(user)   the open jobs of the user, as judged_job has those of attached tables
--   generated_open_jobs()          all open jobs
--   generated_jobs_by_id(id)       the jobs of this id, ended ones too
--   generated_jobs_at(tids, rel)   the jobs that lie there in a table or a partition
--
-- PL/pgSQL with a text as its body: what it asks is planned once in a session, and nothing depends on what it names. Volatile, because a
-- statement that has waited for a migration of the app must see the rows that this has written anew. Where one table cannot
-- be read, mapped_jobs_each reads them one by one.
--
-- Dynamic: it makes functions, and only those whose text has changed.
create or replace function arcano.write_mapped_functions()
returns void
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns constant text := (
    select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = 'arcano.judged_job'::regclass and a.attnum > 0 and not a.attisdropped);
  v_user_type constant text := arcano.contract_type('user_id');
  v_busy text;
  v_warnings text;
  r record;
begin
  select string_agg(format('exists (select from %s t where %s)', k.name, arcano.mapped_where(k.mapping, k.kind)), e'\n    or ' order by k.name)
           filter (where k.kind is not null),
         string_agg(format(e'  perform arcano.warn_unreadable(%L, %L, %L, %L);\n', k.name, k.left_out, k.kind is not null, k.kind is null or arcano.lost_words(k.mapping) <> '{}'), '' order by k.name)
           filter (where k.left_out is not null and not arcano.is_gone(k.mapping))
    into v_busy, v_warnings
    from (
      select m.name, m.left_out, m::arcano.mapping as mapping, case when m.left_out is null then 'user' when m.blocks then 'core' end as kind
        from arcano.mapping m
    ) k;
  for r in
    select f.name, f.arguments, f.result, f.body, f.comment
      from (
        values
          ('generated_has_tables', '', 'boolean', format('begin return %s; end', exists (select from arcano.mapping)::text), 'Internal: whether a table is mapped.'),
          ('generated_is_busy', format('p_user_id %s', v_user_type), 'boolean',
            case when v_busy is null then format(e'begin\n%s  return false;\nend', v_warnings)
              else format(e'begin\n%s  begin\n  return %s;\n  exception\n%s\n    return exists (select from arcano.generated_jobs_of_user($1));\n  end;\nend', v_warnings, v_busy, arcano.read_failures()) end,
            'Internal: whether a mapped table has an open job of p_user_id.'),
          ('generated_jobs_of_user', format('p_user_id %s', v_user_type), format('TABLE(%s)', v_columns),
            arcano.mapped_function_body('user', '$1, null', v_columns), 'Internal: the open jobs of p_user_id in mapped tables.'),
          ('generated_open_jobs', '', format('TABLE(%s)', v_columns),
            arcano.mapped_function_body('open', 'null, null', v_columns), 'Internal: the open jobs of mapped tables.'),
          ('generated_jobs_by_id', format('p_job_id %s', arcano.contract_type('id')), format('TABLE(%s)', v_columns),
            arcano.mapped_function_body('id', 'null, $1', v_columns), 'Internal: the jobs of mapped tables with the id p_job_id, ended ones too.'),
          ('generated_jobs_at', 'p_tids tid[], p_rel oid', format('TABLE(%s)', v_columns),
            arcano.mapped_function_body('places', null, v_columns), 'Internal: the jobs of mapped tables that lie at p_tids in the table, or the partition, p_rel.')
      ) f (name, arguments, result, body, comment)
     where not exists (
       select from pg_proc p
        where p.pronamespace = 'arcano'::regnamespace and p.proname = f.name and p.prosrc = f.body
          and pg_get_function_result(p.oid) = f.result)
  loop
    -- What goes on to be called is replaced: one that is dropped fails whoever has just looked it up.
    if exists (
      select from pg_proc p
       where p.pronamespace = 'arcano'::regnamespace and p.proname = r.name and pg_get_function_result(p.oid) <> r.result
    ) then
      execute format('drop function arcano.%I', r.name);
    end if;
    execute format('create or replace function arcano.%I(%s) returns %s language plpgsql volatile set search_path = pg_catalog, pg_temp %s%s as %L',
      r.name, r.arguments, r.result, case when v_busy is not null then 'set row_security = off ' end,
      -- What the rules say is long to plan, and would be planned five times.
      case when r.name like '%\_jobs\_%' then 'set plan_cache_mode = force_generic_plan' end, r.body);
    execute format('revoke all on function arcano.%I from public', r.name);
    execute format('comment on function arcano.%I is %L', r.name, r.comment);
  end loop;
end
$$;

comment on function arcano.write_mapped_functions() is
  'Internal: writes the generated functions anew, from arcano.mapping.';

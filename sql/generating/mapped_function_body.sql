-- The body of a function that reads jobs of all mapped tables: of each it is asked first whether it has any, which costs next to
-- nothing, and only then what the rules say of them. They are collected: what was answered before a failure would stay. Without
-- p_arguments a failure is raised.
create or replace function arcano.mapped_function_body(p_rows text, p_arguments text, p_columns text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_handler constant text := format(e'  exception\n%s\n      return query select e.* from arcano.mapped_jobs_each(%L, %s) e (%s);\n      return;\n', arcano.read_failures(), p_rows, p_arguments, p_columns);
begin
  return format(e'#variable_conflict use_column\ndeclare\n  v_rows arcano.judged_job[] := ''{}'';\nbegin\n  begin\n%s%s  end;\n  return query select r.* from unnest(v_rows) r;\nend',
    (
      select string_agg(format(e'    if exists (select from %s t where %s) then\n      v_rows := v_rows || array(select q::arcano.judged_job from (%s) q);\n    end if;\n',
               k.name, arcano.mapped_where(k.mapping, k.rows), arcano.mapped_judgement(k.mapping, k.rows)), '' order by k.name)
        from (
          select m.name, m::arcano.mapping as mapping, case when m.left_out is null then p_rows else 'core' end as rows
            from arcano.mapping m
           where m.left_out is null or p_rows = 'user' and m.blocks
        ) k),
    case when p_arguments is not null then v_handler end);
end
$$;

comment on function arcano.mapped_function_body(text, text, text) is
  'Internal: the text of a generated function; p_rows: user, open, id or places; p_arguments: what it asks mapped_jobs_each with where one cannot be read; p_columns: those of judged_job, with their types.';

-- The body of a function that reads jobs of all mapped tables in one statement. Its rows are collected first: what a statement
-- that fails has answered already would stay.
create or replace function arcano.mapped_function_body(p_rows text, p_arguments text, p_columns text)
returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return format(e'#variable_conflict use_column\ndeclare\n  v_rows arcano.judged_job[];\nbegin\n  begin\n    v_rows := array(select q::arcano.judged_job from (\n%s\n    ) q);\n  exception\n%s\n      return query select e.* from arcano.mapped_jobs_each(%L, %s) e (%s);\n      return;\n  end;\n  return query select r.* from unnest(v_rows) r;\nend',
    coalesce((
      select string_agg(format('(%s)', arcano.mapped_judgement(m, case when m.left_out is null then p_rows else 'core' end)), e'\n union all\n' order by m.name)
        from arcano.mapping m
       where m.left_out is null or p_rows = 'user' and m.blocks), 'select j.* from arcano.judged_job j where false'),
    arcano.read_failures(),
    p_rows, p_arguments, p_columns);
end
$$;

comment on function arcano.mapped_function_body(text, text, text) is
  'Internal: the text of a generated function; p_rows: user, open or id; p_arguments: what it asks mapped_jobs_each with; p_columns: those of judged_job, with their types.';

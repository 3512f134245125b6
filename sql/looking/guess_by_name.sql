-- Whether a table is called as job tables are, for advice alone: no rule uses this.
create or replace function arcano.guess_by_name(p_table text)
returns boolean
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return p_table ~* ('(job|task|render|generation|prediction|training|transcription|conversion|translation|rendering|inference|export|import'
    || '|build|workflow_?run|pipeline_?run|flow_?run|execution|backup|upscale|export_?file|transcode|transcoding)s?$');
end
$$;

comment on function arcano.guess_by_name(text) is
  'Internal: whether a table of the name p_table probably holds jobs.';

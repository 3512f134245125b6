-- A name made from another, of the length that PostgreSQL keeps: it cuts what is longer, in silence, and then two names
-- are one. An identifier is so many bytes, and a letter may be four of them: the cut is between letters, and what is cut
-- away is told apart by its hash.
create or replace function arcano.derived_name(p_name name, p_suffix text)
returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
           when octet_length(p_name || p_suffix) <= m.bytes then p_name || p_suffix
           else (
             select max(left(p_name, n)) || '_' || left(md5(p_name), 12) || p_suffix
               from generate_series(0, 20) n
              where octet_length(left(p_name, n)) <= m.bytes - 13 - octet_length(p_suffix)
           )
         end
    from (select current_setting('max_identifier_length')::integer) m (bytes)
$$;

comment on function arcano.derived_name(name, text) is
  'Internal: p_name with p_suffix, an ASCII text of 40 bytes at most, shortened where an identifier would be too long.';

import type { Migration } from './migration.js'

/** Step 11: what jobs ran on stands once, beside the jobs; their rows name it. */
export const verdictLists: Migration = {
  version: 11,
  title: 'lists of verdicts beside the jobs',
  up: `
    -- Digests of verdicts, with blanks between; cut as verdict-list-table.ts cuts, and named by the SHA-256 of the text.
    create table verdict_parts (
      digest text primary key,
      verdicts text not null
    );
    create table verdict_lists (
      digest text primary key,
      parts text not null
    );
    create index jobs_by_manifest on jobs (manifest_digest, id);
    -- Every plan asks how many contributors a pool's tables have.
    create index contributions_of_jobs on contributions (pool, contributor) where state = 'refined' and reason is null;

    create function name_of(given text) returns text language sql immutable as $body$
      select 'sha256:' || encode(sha256(convert_to(given, 'UTF8')), 'hex')
    $body$;
    create function keep_verdicts(given json) returns text language plpgsql as $body$
    declare
      names text;
    begin
      with placed as (
        select digest, place, coalesce(sum((right(digest, 2) = '00')::integer)
          over (order by place rows between unbounded preceding and 1 preceding), 0) as part
        from json_array_elements_text(given) with ordinality as one (digest, place)
      ), parts as materialized (
        select part, string_agg(digest, ' ' order by place) as verdicts from placed group by part
      ), kept as (
        insert into verdict_parts (digest, verdicts) select distinct name_of(verdicts), verdicts from parts on conflict do nothing
      )
      select coalesce(string_agg(name_of(verdicts), ' ' order by part), '') into names from parts;
      insert into verdict_lists (digest, parts) values (name_of(names), names) on conflict do nothing;
      return name_of(names);
    end
    $body$;
    -- One job after the other: together their lists may be larger than the memory.
    do $body$
    declare
      job record;
    begin
      for job in select id from jobs where reservation is not null or inputs is not null loop
        update jobs set
          inputs = (select coalesce(jsonb_object_agg(key, keep_verdicts(value)), '{}')::text
            from json_each(inputs::json)) where id = job.id and inputs is not null;
        update jobs set reservation = jsonb_set(reservation::jsonb, '{inputs}', (
          select coalesce(jsonb_agg((item::jsonb - 'verdicts')
            || jsonb_build_object('verdictList', keep_verdicts(item -> 'verdicts')) order by place), '[]')
          from json_array_elements(reservation::json -> 'inputs') with ordinality as one (item, place)))::text
        where id = job.id and reservation::json -> 'inputs' is not null;
      end loop;
    end
    $body$;
    drop function keep_verdicts;
    drop function name_of;
  `,
  down: `
    -- As text: jsonb takes seconds for each of such lists.
    create function verdicts_of(name text) returns json language sql as $body$
      select coalesce('["' || replace(string_agg(verdict_parts.verdicts, ' ' order by named.place), ' ', '","') || '"]', '[]')::json
      from verdict_lists, unnest(string_to_array(verdict_lists.parts, ' ')) with ordinality as named (digest, place)
        join verdict_parts on verdict_parts.digest = named.digest
      where verdict_lists.digest = name
    $body$;
    create function lists_of(names json) returns json language sql as $body$
      select coalesce(json_object_agg(key, verdicts_of(value)), '{}') from json_each_text(names)
    $body$;
    create function with_field(given json, without text, field text, value json) returns json language sql as $body$
      select json_object_agg(fields.key, fields.value) from (
        select one.key, one.value from json_each(given) as one where one.key <> without
        union all select field, value
      ) as fields
    $body$;
    update jobs set inputs = lists_of(inputs::json)::text where inputs is not null;
    update jobs set reservation = with_field(reservation::json, 'inputs', 'inputs', (
      select coalesce(json_agg(with_field(item, 'verdictList', 'verdicts', verdicts_of(item ->> 'verdictList')) order by place), '[]')
      from json_array_elements(reservation::json -> 'inputs') with ordinality as one (item, place)))::text
    where reservation::json -> 'inputs' is not null;
    update meta set value = (
      select coalesce(json_agg(case when item -> 'lists' is null then item
        else with_field(item, 'lists', 'verdicts', lists_of(item -> 'lists')) end order by place), '[]')::text
      from json_array_elements(meta.value::json) with ordinality as one (item, place))
    where key like 'taken-shares %';
    drop function with_field;
    drop function lists_of;
    drop function verdicts_of;
    drop index contributions_of_jobs;
    drop index jobs_by_manifest;
    drop table verdict_lists, verdict_parts;
  `,
}

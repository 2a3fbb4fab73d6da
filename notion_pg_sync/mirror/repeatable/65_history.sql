-- The past: what changed in Notion, what was there at a time, and a feed of changes. The statements that write rows write
-- page_changes too (mirror/page_changes.py, mirror/removal.py).

-- Whether Notion computes the values of properties of this type: what changes by itself is no part of the history.
CREATE OR REPLACE FUNCTION notion_sync.is_computed(property_type text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN property_type IN
        ('formula', 'rollup', 'created_time', 'created_by', 'last_edited_time', 'last_edited_by');

-- The database of a user that a name, an id or a link means. Raises an exception where there is none, or more than one.
CREATE OR REPLACE FUNCTION notion_sync.database_meant(whose text, written text) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    id CONSTANT uuid := notion_sync.id_in(written)::uuid;
    meant uuid[];
BEGIN
    SELECT array_agg(DISTINCT database_id) INTO meant FROM notion_sync.data_sources
    WHERE user_id = whose AND database_name = written;
    IF meant IS NULL THEN
        SELECT array_agg(DISTINCT database_id) INTO meant FROM notion_sync.data_sources
        WHERE user_id = whose AND (id IN (database_id, data_source_id) OR lower(database_name) = lower(trim(written)));
    END IF;
    IF meant IS NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'user %L has no database %L that was synced: give its name in notion_databases, its id or its link.',
            whose, written);
    END IF;
    IF cardinality(meant) > 1 THEN
        RAISE ambiguous_parameter USING MESSAGE = format(
            'user %L has %s databases %L: give the id of the one that is meant (%s).',
            whose, cardinality(meant), written, array_to_string(meant, ', '));
    END IF;
    RETURN meant[1];
END
$$;

-- The past at a time ------------------------------------------------------------------------------------------------

-- Since when the past of a user's database is known, null where it is not; of data sources that it had as of those it has.
CREATE OR REPLACE FUNCTION notion_sync.history_begins(whose text, database uuid) RETURNS timestamptz
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN bool_and(history_since IS NOT NULL) THEN greatest(max(history_since), (
        SELECT former_since FROM notion_sync.databases AS known
        WHERE known.user_id = history_begins.whose AND known.database_id = history_begins.database)) END
    FROM notion_sync.data_sources AS source
    WHERE source.user_id = history_begins.whose AND source.database_id = history_begins.database
$$;

-- What Notion gave of a page, by column, and its `url`; `stored`: its row, `given`: as notion_sync.pages keeps it.
CREATE OR REPLACE FUNCTION notion_sync.as_given(stored jsonb, given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((CASE WHEN jsonb_typeof(stored -> 'fields') = 'object' THEN stored -> 'fields' ELSE '{}' END
             || jsonb_build_object('url', stored -> 'url'))
            - ARRAY(SELECT key FROM jsonb_each(given) WHERE NOT value ? 'value'))
        || (SELECT coalesce(jsonb_object_agg(key, value -> 'value'), '{}') FROM jsonb_each(given) WHERE value ? 'value');

-- The objects in one; of what several have, the last one's counts.
CREATE OR REPLACE AGGREGATE notion_sync.merged(jsonb) (sfunc = pg_catalog.jsonb_concat, stype = jsonb, parallel = safe);

-- The object with this value at each of its keys, and the object without the keys at which this value is. Functions, since
-- parallel workers run no subquery that refers to the row.
CREATE OR REPLACE FUNCTION notion_sync.with_value(fields jsonb, given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(jsonb_object_agg(key, given), '{}') FROM jsonb_object_keys(fields) AS key);
CREATE OR REPLACE FUNCTION notion_sync.without_value(fields jsonb, given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(fields) WHERE value <> given);

-- The rows of a database as a run had seen them at that time: what is there now, with each change since taken back, the
-- newest first. What Notion computes is left out. Raises an exception for a time of which that is not known.
--
-- Two halves of the pages by their ids, so that two processes can work side by side. The planner lets them where it finds
-- nothing smaller to do in parallel, hence no parallel scans; where it sees that OFFSET is 0, which it does of '0' alone;
-- and, by parallel_setup_cost, where it is worth starting them: a thousand pages take 10 ms.
CREATE OR REPLACE FUNCTION notion_sync.rows_as_of(user_id text, database text, at timestamptz)
    RETURNS SETOF notion_sync.past_page
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET work_mem = '64MB'
    SET jit = off
    SET min_parallel_table_scan_size = '1TB'
    SET min_parallel_index_scan_size = '1TB'
    SET parallel_setup_cost = 20000
AS $$
#variable_conflict use_column
DECLARE
    asked CONSTANT text := rows_as_of.user_id;
    moment CONSTANT timestamptz := rows_as_of.at;
    meant CONSTANT uuid := notion_sync.database_meant(asked, rows_as_of.database);
    -- In the place of what a page lacked before; no value can be this.
    lacking CONSTANT jsonb := to_jsonb(gen_random_uuid());
    begins timestamptz;
    place record;
BEGIN
    IF moment IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'at what time? It is null.';
    END IF;
    begins := notion_sync.history_begins(asked, meant);
    IF begins IS NULL THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format(
            'the history of %s has not begun: it begins when the database has been read completely, and where '
            'notion_sync.accounts.history and notion_sync.data_sources.history let it.', rows_as_of.database);
    END IF;
    IF moment < begins THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'the history of %s begins at %s: what was there before is not known.', rows_as_of.database, begins);
    END IF;
    FOR place IN
        SELECT known.data_source_id, known.sync_table, quote_ident(nspname) || '.' || quote_ident(relname) AS relation,
               (SELECT min(name) FROM notion_sync.columns AS title
                WHERE title.user_id = asked AND title.data_source_id = known.data_source_id
                  AND property_type = 'title') AS title,
               ARRAY(SELECT name FROM notion_sync.columns AS computed
                     WHERE computed.user_id = asked AND computed.data_source_id = known.data_source_id
                       AND notion_sync.is_computed(property_type)) AS computed
        FROM notion_sync.data_sources AS known
        LEFT JOIN (pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace)
            ON relkind IN ('r', 'p') AND nspname || '.' || relname = known.sync_table
        WHERE known.user_id = asked AND known.database_id = meant
        UNION ALL
        -- Those that it had: of these there is no row any more.
        SELECT former.key::uuid, NULL, NULL, former.value, '{}'
        FROM notion_sync.databases AS known, jsonb_each_text(known.former_titles) AS former
        WHERE known.user_id = asked AND known.database_id = meant
          AND NOT EXISTS (SELECT FROM notion_sync.data_sources AS living
                          WHERE living.user_id = asked AND living.data_source_id = former.key::uuid)
        ORDER BY 1
    LOOP
        IF place.sync_table IS NOT NULL AND place.relation IS NULL THEN
            RAISE object_not_in_prerequisite_state USING MESSAGE = format(
                'the table %s, to which the last sync wrote the rows of %s, is not there: sync again.',
                place.sync_table, rows_as_of.database);
        END IF;
        RETURN QUERY EXECUTE (SELECT string_agg(format(
            $query$(
                WITH later AS (
                    SELECT page_id, change_id, kind, reason IS NOT NULL AS may_lack,
                           CASE WHEN kind = 'updated' AND reason IS NOT NULL
                                THEN notion_sync.with_value(new, $4) || old ELSE old END AS old
                    FROM notion_sync.page_changes
                    WHERE user_id = $1 AND data_source_id = $2 AND seen_at > $3
                      AND page_id %1$s '80000000-0000-0000-0000-000000000000' OFFSET '0'
                ), gone AS (
                    SELECT page_id, min(change_id) AS gone_by FROM notion_sync.page_changes
                    WHERE user_id = $1 AND data_source_id = $2 AND seen_at > $3 AND kind = 'removed' GROUP BY page_id
                ), changed AS (
                    SELECT page_id, notion_sync.merged(old ORDER BY change_id DESC) AS old,
                           bool_or(kind = 'removed') AS is_gone, bool_or(may_lack) AS may_lack,
                           coalesce(min(change_id) FILTER (WHERE kind = 'inserted') = min(change_id), false)
                               AS came_later
                    FROM later LEFT JOIN gone USING (page_id)
                    -- Of a page that left: what changed before, and what it was then.
                    WHERE gone_by IS NULL OR change_id <= gone_by GROUP BY page_id
                ), present AS (
                    SELECT stored.page_id,
                           CASE WHEN given IS NOT NULL
                                THEN notion_sync.as_given(jsonb_build_object('fields', fields, 'url', url), given)
                                     - $5::text[]
                                WHEN jsonb_typeof(fields) = 'object' THEN fields - $5::text[]
                                ELSE '{}' END AS fields,
                           CASE WHEN given ? 'url' THEN given #>> '{url,value}' ELSE url END AS url
                    FROM (
                        -- What is stored elsewhere is fetched once, for an object without change.
                        SELECT sync_table.page_id, fields || '{}' AS fields, url
                        FROM %2$s AS sync_table
                        WHERE user_id = $1 AND notion_data_source_id = $2::text
                          AND sync_table.page_id %1$s '80000000-0000-0000-0000-000000000000' OFFSET '0'
                    ) AS stored
                    -- What a trigger of the table stores otherwise.
                    LEFT JOIN notion_sync.pages AS note
                        ON note.user_id = $1 AND note.page_id = stored.page_id AND note.data_source_id = $2
                        AND given IS NOT NULL
                    WHERE stored.page_id IS NOT NULL
                ), found AS (
                    SELECT page_id, may_lack,
                           CASE WHEN is_gone THEN changed.old
                                WHEN changed.old IS NULL THEN present.fields
                                ELSE present.fields || changed.old END AS fields,
                           CASE WHEN is_gone OR changed.old ? 'url' THEN changed.old ->> 'url'
                                ELSE present.url END AS url
                    FROM present FULL JOIN changed USING (page_id)
                    WHERE came_later IS NOT TRUE AND (is_gone OR present.page_id IS NOT NULL)
                    OFFSET '0'
                ), whole AS (
                    SELECT page_id, url,
                           CASE WHEN may_lack THEN notion_sync.without_value(fields, $4) ELSE fields END AS fields
                    FROM found OFFSET '0'
                )
                SELECT page_id, fields ->> $6, url, CASE WHEN fields ? 'url' THEN fields - 'url' ELSE fields END
                FROM whole
            )$query$,
            half, coalesce(place.relation, $none$(
                SELECT NULL::uuid AS page_id, NULL::jsonb AS fields, NULL AS url, NULL AS user_id,
                       NULL AS notion_data_source_id WHERE false)$none$)
        ), ' UNION ALL ') FROM unnest(ARRAY['<', '>=']) AS half)
            USING asked, place.data_source_id, moment, lacking, place.computed, place.title;
    END LOOP;
END
$$;

-- What changed ------------------------------------------------------------------------------------------------------

-- A plain value as people read it: a text as it is, a list with commas, people by name as far as they are known.
CREATE OR REPLACE FUNCTION notion_sync.shown_value(value jsonb, names jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN jsonb_typeof(value) <> 'array' THEN value #>> '{}'
        WHEN names IS NULL THEN array_to_string(notion_sync.as_text_array(value), ', ')
        ELSE (SELECT string_agg(coalesce(names ->> id, id), ', ' ORDER BY place)
              FROM unnest(notion_sync.as_text_array(value)) WITH ORDINALITY AS listed (id, place))
    END;

CREATE OR REPLACE VIEW notion_sync.field_changes WITH (security_invoker = true) AS
SELECT change.change_id, change.user_id, change.page_id,
       coalesce(
           page.title,
           -- What it was called when it left.
           (SELECT removed.old ->> coalesce(titled.name, known.former_titles ->> removed.data_source_id::text)
            FROM notion_sync.page_changes AS removed
            LEFT JOIN notion_sync.columns AS titled
                ON titled.user_id = removed.user_id AND titled.data_source_id = removed.data_source_id
                AND titled.property_type = 'title'
            LEFT JOIN notion_sync.databases AS known
                ON known.user_id = removed.user_id AND known.database_id = removed.database_id
            WHERE removed.user_id = change.user_id AND removed.data_source_id = change.data_source_id
              AND removed.page_id = change.page_id AND removed.kind = 'removed'
              AND removed.seen_at >= change.seen_at
            ORDER BY removed.seen_at LIMIT 1)) AS page_title,
       change.data_source_id, change.database_id, change.database_name, field.name AS column_name, change.kind, change.reason,
       notion_sync.shown_value(field.old, people.names) AS old, notion_sync.shown_value(field.new, people.names) AS new,
       change.seen_at, change.edited_at, change.edited_by, editor.name AS edited_by_name
FROM notion_sync.page_changes AS change
CROSS JOIN LATERAL (
    SELECT name, before.value AS old, after.value AS new
    FROM jsonb_each(change.old) AS before (name, value) FULL JOIN jsonb_each(change.new) AS after (name, value) USING (name)
    WHERE name <> 'url' AND nullif(before.value, 'null') IS DISTINCT FROM nullif(after.value, 'null')
) AS field
LEFT JOIN notion_sync.columns AS property
    ON property.user_id = change.user_id AND property.data_source_id = change.data_source_id
    AND property.name = field.name AND property.property_type = 'people'
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(named.id, named.name) AS names FROM notion_sync.users AS named
    WHERE named.user_id = change.user_id AND named.name IS NOT NULL AND named.id = ANY (
        notion_sync.as_uuid_array(field.old) || notion_sync.as_uuid_array(field.new))
) AS people ON property.name IS NOT NULL
LEFT JOIN notion_sync.search_documents AS page ON page.user_id = change.user_id AND page.page_id = change.page_id
LEFT JOIN notion_sync.users AS editor ON editor.user_id = change.user_id AND editor.id = change.edited_by
    -- What no person did is left out.
WHERE change.reason IS NULL
   OR change.kind = 'removed'
   OR change.kind = 'inserted' AND change.reason <> 'restored';

-- The feed ----------------------------------------------------------------------------------------------------------

-- Whether numbers of transactions that are stored compare with those of this cluster: the newest generation began here,
-- and the newest change is of a transaction that has been, or is this one. With its owner's rights: whoever's it is.
CREATE OR REPLACE FUNCTION notion_sync.is_generation_ours() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(
        (SELECT newest.system_identifier = here.system_identifier
         FROM notion_sync.history_generations AS newest, pg_control_system() AS here
         ORDER BY first_change_id DESC, began_at DESC LIMIT 1), false)
    AND coalesce(
        (SELECT transaction_id < pg_snapshot_xmax(pg_current_snapshot())
                OR transaction_id = coalesce(pg_current_xact_id_if_assigned(), '0')
         FROM notion_sync.page_changes
         WHERE change_id >= (SELECT max(first_change_id) FROM notion_sync.history_generations)
         ORDER BY change_id DESC LIMIT 1), true)
$$;

-- Begins a generation where that is not so, behind all that is there. Two that do so at once, and do not see one another,
-- begin the same one: its id follows from where it begins.
CREATE OR REPLACE FUNCTION notion_sync.begin_generation() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- One statement: what it is decided by and what is behind what are of one snapshot.
    INSERT INTO notion_sync.history_generations (generation, first_change_id, system_identifier)
    SELECT md5(concat_ws(' ', system_identifier, first_change_id))::uuid, first_change_id, system_identifier
    FROM pg_control_system(),
         (SELECT coalesce(max(change_id), 0) + 1 FROM notion_sync.page_changes) AS behind (first_change_id)
    WHERE NOT notion_sync.is_generation_ours()
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER begin_generation BEFORE INSERT ON notion_sync.page_changes
    FOR EACH STATEMENT EXECUTE FUNCTION notion_sync.begin_generation();

-- The generations in order, with the numbers of their changes: from `begins` on, and below `ends`. With the owner's rights,
-- since tenants do not read the table.
CREATE OR REPLACE FUNCTION notion_sync.known_generations()
    RETURNS TABLE (generation uuid, begins bigint, ends bigint, is_newest boolean, place bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT generation, begins, coalesce(lead(begins) OVER in_order, 9223372036854775807),
           lead(begins) OVER in_order IS NULL, row_number() OVER in_order
    FROM (SELECT generation, min(first_change_id) AS begins, min(began_at) AS began_at
          FROM notion_sync.history_generations GROUP BY generation) AS known
    WINDOW in_order AS (ORDER BY begins, began_at)
$$;

-- For changes_since: whether the change of this number that was handed on, seen at `seen` (seconds since 1970), has not been,
-- or another has its number. Of one that was deleted since it is not known, nor of none. With its owner's rights: whoever's
-- it is.
CREATE OR REPLACE FUNCTION notion_sync.was_taken_back(number bigint, seen text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT number > coalesce(
               pg_sequence_last_value(pg_get_serial_sequence('notion_sync.page_changes', 'change_id')::regclass), 0)
        OR EXISTS (SELECT FROM notion_sync.page_changes
                   WHERE change_id = number AND extract(epoch FROM seen_at)::text <> seen)
$$;

-- For changes_since: the changes of a generation, numbered from `first` on and below `ends`, that the snapshot `shown` sees
-- (null: any) and `seen` does not, in order of their numbers, each with the position behind it. `is_newest`: once all of
-- them are returned, a consumer has had all that `shown` sees.
CREATE OR REPLACE FUNCTION notion_sync.changes_between(
    generation uuid, first bigint, ends bigint, seen pg_snapshot, shown pg_snapshot, is_newest boolean, most bigint
)
    RETURNS SETOF notion_sync.seen_change
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    had CONSTANT text := CASE WHEN seen::text = '3:3:' THEN '' ELSE seen::text END;
    begins bigint := first;
BEGIN
    IF is_newest AND had <> '' THEN
        -- By the index: what was returned before is not gone through again. MATERIALIZED keeps the planner from looking for
        -- the least number by the numbers.
        WITH unseen AS MATERIALIZED (
            SELECT change.change_id FROM notion_sync.page_changes AS change
            WHERE change.transaction_id >= pg_snapshot_xmin(seen) AND change.change_id >= first
              AND change.change_id < ends AND NOT pg_visible_in_snapshot(change.transaction_id, seen)
              AND (shown IS NULL OR pg_visible_in_snapshot(change.transaction_id, shown))
        )
        SELECT min(unseen.change_id) INTO begins FROM unseen;
    END IF;
    RETURN QUERY
        WITH found AS MATERIALIZED (
            SELECT change.* FROM notion_sync.page_changes AS change
            WHERE change.change_id >= begins AND change.change_id < ends
              AND NOT pg_visible_in_snapshot(change.transaction_id, seen)
              AND (shown IS NULL OR pg_visible_in_snapshot(change.transaction_id, shown))
            ORDER BY change.change_id LIMIT most + 1
        ), numbered AS (
            SELECT found.*, row_number() OVER (ORDER BY found.change_id) AS place, count(*) OVER () AS total FROM found
        )
        SELECT concat_ws('/', generation,
                   CASE WHEN is_newest AND place = total AND total <= most THEN concat_ws('/', shown, '', '')
                        ELSE concat_ws('/', had, coalesce(shown::text, ''), numbered.change_id) END,
                   concat_ws('@', numbered.change_id, extract(epoch FROM seen_at))),
               numbered.change_id, transaction_id, user_id, page_id, data_source_id, database_id, database_name, kind,
               reason, seen_at, edited_at, edited_by, old, new
        FROM numbered WHERE place <= most ORDER BY numbered.change_id;
END
$$;

-- The changes that a consumer has not had yet, which says by the position that came with the last one how far it has come;
-- null: from the beginning. At most so many, in an order in which the changes of a page keep theirs.
--
-- A position is GENERATION/SEEN/SHOWN/LAST/CHANGE. SEEN and SHOWN are snapshots, and what there is none of is empty. It has
-- had all that SEEN sees and, of what SHOWN sees beside, the changes up to the number LAST. A number alone would not do:
-- a transaction that took its number earlier may be committed later. Nor would the oldest transaction under way: one that
-- somebody left open anywhere in the cluster would hold up everything. With LAST and without SHOWN, the generation is one
-- that ended, of which all is there to be seen. CHANGE is the change that it came with, by number and time: a server that
-- was restored to an earlier time lacks it, or gave its number again.
CREATE OR REPLACE FUNCTION notion_sync.changes_since("position" text DEFAULT NULL, most integer DEFAULT 1000)
    RETURNS SETOF notion_sync.seen_change
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    nothing CONSTANT pg_snapshot := '3:3:';
    restored CONSTANT text := 'the position %L is later than this server, which was restored to an earlier time: begin again '
                              'with null, which returns every change that is kept.';
    here CONSTANT pg_snapshot := pg_current_snapshot();
    is_ours CONSTANT boolean := notion_sync.is_generation_ours();
    given CONSTANT text := changes_since."position";
    parts CONSTANT text[] := string_to_array(given, '/');
    room bigint := changes_since.most;
    seen pg_snapshot := coalesce(nullif(parts[2], ''), '3:3:');
    shown pg_snapshot := nullif(parts[3], '');
    last bigint := coalesce(nullif(parts[4], '')::bigint, 0);
    awaits_given boolean := given IS NOT NULL;
    part record;
    row_count bigint;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE =
            'a standby does not tell which transactions are under way: ask the primary for changes.';
    END IF;
    IF room < 1 IS NOT FALSE THEN
        RAISE invalid_parameter_value USING MESSAGE = 'at most how many changes? Give a number above 0.';
    END IF;
    IF given IS NOT NULL AND NOT EXISTS (
        SELECT FROM notion_sync.known_generations() WHERE generation = notion_sync.as_uuid(parts[1]))
    THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'the position %L is not of this history: begin again with null, which returns every change that is kept.',
            given);
    END IF;
    IF notion_sync.was_taken_back(nullif(split_part(parts[5], '@', 1), '')::bigint, split_part(parts[5], '@', 2)) THEN
        RAISE invalid_parameter_value USING MESSAGE = format(restored, given);
    END IF;
    FOR part IN
        SELECT generation, begins, ends, is_ours AND is_newest AS is_live,
               generation = notion_sync.as_uuid(parts[1]) AS is_given
        FROM notion_sync.known_generations() ORDER BY place
    LOOP
        -- Those before it are done with.
        CONTINUE WHEN awaits_given AND NOT part.is_given;
        awaits_given := false;
        IF part.is_given IS NOT TRUE THEN
            seen := nothing;
            shown := NULL;
            last := 0;
        END IF;
        IF part.is_live AND pg_snapshot_xmax(seen) > pg_snapshot_xmax(here) THEN
            RAISE invalid_parameter_value USING MESSAGE = format(restored, given);
        END IF;
        IF shown IS NOT NULL THEN
            RETURN QUERY SELECT * FROM notion_sync.changes_between(
                part.generation, greatest(part.begins, last + 1), part.ends, seen, shown, false, room);
            GET DIAGNOSTICS row_count = ROW_COUNT;
            room := room - row_count;
            EXIT WHEN room = 0;
            seen := shown;
            last := 0;
        END IF;
        RETURN QUERY SELECT * FROM notion_sync.changes_between(
            part.generation, greatest(part.begins, last + 1), part.ends, seen,
            CASE WHEN part.is_live THEN here END, part.is_live, room);
        GET DIAGNOSTICS row_count = ROW_COUNT;
        room := room - row_count;
        EXIT WHEN room = 0;
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION
    notion_sync.is_computed(text), notion_sync.database_meant(text, text), notion_sync.merged(jsonb),
    notion_sync.history_begins(text, uuid), notion_sync.as_given(jsonb, jsonb),
    notion_sync.with_value(jsonb, jsonb), notion_sync.without_value(jsonb, jsonb),
    notion_sync.rows_as_of(text, text, timestamptz), notion_sync.shown_value(jsonb, jsonb),
    notion_sync.is_generation_ours(), notion_sync.was_taken_back(bigint, text), notion_sync.known_generations(),
    notion_sync.changes_since(text, integer),
    notion_sync.changes_between(uuid, bigint, bigint, pg_snapshot, pg_snapshot, boolean, bigint)
    TO PUBLIC;

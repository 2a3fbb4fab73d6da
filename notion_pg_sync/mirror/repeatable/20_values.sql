-- The casts that typed views are made of: no stored value can make a view fail. What a type cannot hold is null.

CREATE OR REPLACE FUNCTION notion_sync.as_numeric(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric END;

CREATE OR REPLACE FUNCTION notion_sync.as_boolean(value jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'boolean' THEN value::boolean END;

-- Every day of the years 1 to 9999: in months of 31 days, of 30, in February, and in leap years. With the pattern alone to
-- tell, nothing that the cast could refuse reaches it, and the same holds in every version of PostgreSQL.
CREATE OR REPLACE FUNCTION notion_sync.as_date(value text) RETURNS date
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN value NOT LIKE '0000%' AND value COLLATE "C" ~ (
            '^([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])'
            '|(0[469]|11)-(0[1-9]|[12][0-9]|30)'
            '|02-(0[1-9]|1[0-9]|2[0-8]))'
            '|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$'
        ) THEN value::date
    END;

-- With an offset, without which the reader's time zone would decide; within bounds that leave a day for any time zone,
-- since clients cannot read other years.
CREATE OR REPLACE FUNCTION notion_sync.as_timestamptz(value text) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN notion_sync.as_date(left(value, 10)) IS NULL THEN NULL
        WHEN value COLLATE "C" !~ (
            '^.{10}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?[+-](0[0-9]|1[0-5]):[0-5][0-9]$'
        ) THEN NULL
        WHEN value::timestamptz >= '0001-01-02 00:00:00+00' AND value::timestamptz < '9999-12-31 00:00:00+00'
            THEN value::timestamptz
    END;

CREATE OR REPLACE FUNCTION notion_sync.as_uuid(value text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value COLLATE "C" ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN value::uuid
    END;

CREATE OR REPLACE FUNCTION notion_sync.as_text_array(value jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN jsonb_typeof(value) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(value)) END;

-- Without a subquery, so that the planner can put it in line.
CREATE OR REPLACE FUNCTION notion_sync.as_uuid_array(value jsonb) RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN value::text COLLATE "C" ~ '^\[("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"(, )?)*\]$'
            THEN translate(value::text, '[]" ', '{}')::uuid[]
    END;

-- The latest time at which it was a page's turn to have its body read again: each has a turn in every span of that length,
-- at a time of its own, so that the turns of many are spread over it.
CREATE OR REPLACE FUNCTION notion_sync.turn_of(page_id uuid, every interval) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN date_bin(
        least(every, interval '36500 days'), now(),
        to_timestamp(0) + least(every, interval '36500 days') * ((hashtext(page_id::text)::bigint + 2147483648) / 4294967296.0)
    );

-- Also where an operator's default privileges say otherwise: a view calls them as its reader.
GRANT EXECUTE ON FUNCTION
    notion_sync.as_numeric(jsonb), notion_sync.as_boolean(jsonb), notion_sync.as_date(text),
    notion_sync.as_timestamptz(text), notion_sync.as_uuid(text), notion_sync.as_text_array(jsonb),
    notion_sync.as_uuid_array(jsonb), notion_sync.turn_of(uuid, interval)
    TO PUBLIC;

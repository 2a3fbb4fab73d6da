-- Which tools may work with tables that are newer than they know: those that know the migrations up to must_know, since
-- all that came later only adds.

-- not additive
ALTER TABLE notion_sync.migrations ADD COLUMN must_know integer;
UPDATE notion_sync.migrations SET must_know = version;
ALTER TABLE notion_sync.migrations
    ALTER COLUMN must_know SET NOT NULL,
    ADD CONSTRAINT only_earlier_ones CHECK (must_know <= version);

-- How many values of each column are of another type than the column, as the last full read found them and incremental
-- ones since. They are null in typed views.

-- additive
ALTER TABLE notion_sync.columns ADD COLUMN unfit_values bigint NOT NULL DEFAULT 0;

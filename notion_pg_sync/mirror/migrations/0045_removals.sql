-- Which pages left, and when, without going through what changed: asked by each look at the past.

-- additive
CREATE INDEX page_changes_removed ON notion_sync.page_changes (user_id, data_source_id, page_id, seen_at)
    WHERE kind = 'removed';

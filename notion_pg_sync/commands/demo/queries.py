"""What the demo asks of the copy, and how it connects its users."""

CONNECT_USER = "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)"

WANT_VIEWS = "INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)"

LATEST_MESSAGE = "SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1"

LATEST_RUNS = """SELECT runid, status, return_message, end_time - start_time AS took
FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 3"""

QUERIES = [
    (
        "The oldest living characters, and where they live",
        """SELECT c.name, c.age, string_agg(w.name, ', ' ORDER BY w.name) AS world
FROM notion.characters AS c
JOIN notion.characters__world AS home USING (user_id, page_id)
JOIN notion.worlds AS w ON (w.user_id, w.page_id) = (home.user_id, home.related_page_id)
WHERE c.alive AND c.age IS NOT NULL
GROUP BY c.page_id, c.name, c.age ORDER BY c.age DESC LIMIT 5""",
    ),
    (
        "Who appears in the most stories",
        """SELECT c.user_id, c.name, count(*) AS stories, string_agg(s.title, ', ' ORDER BY s.title) AS which
FROM notion.stories AS s
JOIN notion.stories__characters AS cast_of USING (user_id, page_id)
JOIN notion.characters AS c ON (c.user_id, c.page_id) = (cast_of.user_id, cast_of.related_page_id)
GROUP BY c.user_id, c.name HAVING count(*) > 1 ORDER BY stories DESC, c.name LIMIT 5""",
    ),
    (
        "What is still to be written, the longest first",
        """SELECT user_id, title, status, words, progress, deadline FROM notion.stories
WHERE status NOT IN ('Finished', 'Published') ORDER BY words DESC, title""",
    ),
    (
        "Where Ada mentions a lamp but no oath",
        "SELECT title, database_name, snippet FROM notion_sync.search('lamp -oath', 'ada') LIMIT 5",
    ),
    (
        "What the latest run changed",
        """WITH rows AS (
  SELECT user_id, name AS what, notion_edited_at FROM notion_characters_sync
  UNION ALL SELECT user_id, title, notion_edited_at FROM notion_stories_sync
  UNION ALL SELECT user_id, title, notion_edited_at FROM notion_chat_sessions_sync
  UNION ALL SELECT user_id, title, notion_edited_at FROM notion_pages_sync
)
SELECT user_id, what, notion_edited_at FROM rows
WHERE notion_edited_at > (SELECT max(notion_edited_at) FROM rows) - interval '5 minutes'
ORDER BY user_id, what""",
    ),
]

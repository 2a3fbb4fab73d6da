"""What the demo asks of the copy, and how it connects its users."""

CONNECT_USER = "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)"

LATEST_MESSAGE = "SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1"

LATEST_RUNS = """SELECT runid, status, return_message, end_time - start_time AS took
FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 3"""

QUERIES = [
    (
        "The eldest living characters, and where they live",
        """SELECT c.name, c.fields ->> 'age' AS age, w.name AS world
FROM notion_characters_sync AS c
JOIN notion_worlds_sync AS w
  ON w.user_id = c.user_id AND c.fields -> 'world' ? w.notion_page_id
WHERE c.user_id = 'ada' AND (c.fields ->> 'alive')::boolean
ORDER BY (c.fields ->> 'age')::numeric DESC NULLS LAST LIMIT 4""",
    ),
    (
        "Who appears in the most stories",
        """SELECT c.name, count(*) AS stories, string_agg(s.title, ', ' ORDER BY s.title) AS which
FROM notion_stories_sync AS s
JOIN notion_characters_sync AS c
  ON c.user_id = s.user_id AND s.fields -> 'characters' ? c.notion_page_id
GROUP BY c.name HAVING count(*) > 1 ORDER BY stories DESC, c.name""",
    ),
    (
        "What is still to be written",
        """SELECT user_id, title, fields ->> 'status' AS status, fields ->> 'words' AS words,
       fields ->> 'deadline' AS due
FROM notion_stories_sync
WHERE fields ->> 'status' <> 'Finished' ORDER BY fields ->> 'deadline' NULLS LAST""",
    ),
]

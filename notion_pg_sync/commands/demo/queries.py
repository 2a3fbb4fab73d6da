"""What the demo asks of the copy, in lines of at most 80 characters, and how it connects its users."""

CONNECT_USER = "INSERT INTO user_settings (user_id, notion_token, notion_databases) VALUES (%s, %s, %s)"

WANT_VIEWS = "INSERT INTO notion_sync.accounts (user_id, views) VALUES (%s, true)"

FIRST_QUESTION = "SELECT name, age, alive FROM notion.characters WHERE user_id = 'ada' ORDER BY name LIMIT 5"

LATEST_MESSAGE = "SELECT return_message FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 1"

LATEST_RUNS = """SELECT runid, status, return_message, end_time - start_time AS took
FROM notion_sync.job_run_details ORDER BY runid DESC LIMIT 2"""

# Of which user's database, and which page.
PAST_OF_A_PAGE = ("ben", "Stories", "--page", "The Last Stop")

# What is kept of that picture; where its bytes are stands below the answer.
KEPT_PICTURE = """SELECT split_part(stored_as, '/', 3) AS file, bytes, media_type,
    left(sha256, 8) AS sha256
FROM notion_sync.files JOIN notion_sync.page_files USING (user_id, path)
JOIN notion.characters AS page USING (user_id, page_id)
WHERE place = 'cover' AND page.name = 'Pim'"""

QUERIES = [
    (
        "Rows are typed columns",
        """SELECT name, role, age, alive, traits FROM notion.characters
WHERE user_id = 'ada' AND age IS NOT NULL ORDER BY age DESC LIMIT 5""",
    ),
    (
        "Over two relations: which stories play in which worlds, through their cast?",
        """SELECT DISTINCT s.title AS story, w.name AS world
FROM notion.stories AS s
JOIN notion.stories__characters AS cast_of USING (user_id, page_id)
JOIN notion.characters__world AS home
  ON (home.user_id, home.page_id) = (cast_of.user_id, cast_of.related_page_id)
JOIN notion.worlds AS w
  ON (w.user_id, w.page_id) = (home.user_id, home.related_page_id)
WHERE s.user_id = 'ada' ORDER BY story, world LIMIT 5""",
    ),
    (
        "Where Ada mentions a lamp but no oath",
        """SELECT title, database_name, snippet
FROM notion_sync.search('lamp -oath', 'ada') LIMIT 5""",
    ),
]

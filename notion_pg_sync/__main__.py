"""`python -m notion_pg_sync`."""

from notion_pg_sync.cli import main

main()

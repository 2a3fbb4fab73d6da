"""The source: reads Notion over HTTP; knows nothing of PostgreSQL."""

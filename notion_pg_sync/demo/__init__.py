"""What the tool brings along: an embedded PostgreSQL and a sample Notion workspace."""

"""What `doctor` asks PostgreSQL: the catalog and the server itself, read only; and the SQL that fixes what it finds."""

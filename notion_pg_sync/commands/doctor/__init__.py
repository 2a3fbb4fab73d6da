"""`doctor`: checks everything between cron and the rows."""

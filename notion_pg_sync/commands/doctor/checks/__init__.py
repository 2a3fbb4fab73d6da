"""The checks of `doctor`, from cron to the rows."""

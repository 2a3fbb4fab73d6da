-- Runs that are under way, or whose process went away, among all that there ever were.
CREATE INDEX job_run_details_open ON notion_sync.job_run_details (runid) WHERE end_time IS NULL;

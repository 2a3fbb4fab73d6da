-- How each run was started, so that a schedule can be held against what it really started. Names of variables, no values.

-- additive
ALTER TABLE notion_sync.run_processes
    ADD COLUMN started_by text,
    ADD COLUMN os_user    text,
    ADD COLUMN executable text,
    ADD COLUMN folder     text,
    ADD COLUMN path       text,
    ADD COLUMN variables  text[];

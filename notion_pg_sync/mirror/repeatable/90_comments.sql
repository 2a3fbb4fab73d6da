-- What the tables of notion_sync and their columns hold, for whoever looks at them with psql.
COMMENT ON SCHEMA notion_sync IS 'Bookkeeping of notion-pg-sync: runs, accounts, data sources.';
COMMENT ON COLUMN notion_sync.migrations.must_know IS
    'Versions of the tool that know the migrations up to this one work with the tables: what came later only adds.';
COMMENT ON COLUMN notion_sync.run_processes.machine IS 'Within one value of it, process ids are comparable.';
COMMENT ON COLUMN notion_sync.run_processes.process_started_at IS 'Seconds since 1970, as the operating system says.';
COMMENT ON COLUMN notion_sync.accounts.views IS 'Whether typed views are kept for this user.';
COMMENT ON COLUMN notion_sync.accounts.emails IS
    'Yours to set: whether the e-mail addresses of people are copied.';
COMMENT ON COLUMN notion_sync.accounts.has_emails IS 'Whether the copy may hold such addresses.';
COMMENT ON TABLE notion_sync.exclusions IS
    'What an owner excludes from the copy of a database: it stays until notion_databases says "exclude": [] or sync --include lifts it.';
COMMENT ON COLUMN notion_sync.exclusions.entry IS 'The name or the id of a property, as it was written.';
COMMENT ON COLUMN notion_sync.exclusions.properties IS
    'The properties that it excludes so far, by decoded id, with their names; empty: none yet, so that the database is not read.';
COMMENT ON COLUMN notion_sync.exclusions.data_source_ids IS
    'Data sources that the database had and that are forgotten: wherever one comes back, it is excluded there too.';
COMMENT ON COLUMN notion_sync.exclusions.since IS 'When it was first seen.';
COMMENT ON COLUMN notion_sync.accounts.rate_limited_until IS 'Until when Notion''s rate limit holds this token back.';
COMMENT ON COLUMN notion_sync.accounts.last_sync_brings IS
    'What the last sync-all was to bring for this user: rows, and full read, bodies, full bodies or files where it was asked to.';
COMMENT ON COLUMN notion_sync.accounts.token_fingerprint IS
    'SHA-256 of the token of the last sync: another token lifts the suspension of databases.';
COMMENT ON COLUMN notion_sync.accounts.token_problem IS
    'Why the token could not be used the last time, the same for all users who have it; null: it could.';
COMMENT ON COLUMN notion_sync.accounts.token_refusals IS 'How often in a row Notion has refused the token.';
COMMENT ON COLUMN notion_sync.accounts.token_refused_at IS 'When Notion was asked that refused the token last.';
COMMENT ON COLUMN notion_sync.accounts.suspended_since IS
    'Since when the token is tried only now and then: it was refused three times in a row while others were accepted.';
COMMENT ON COLUMN notion_sync.accounts.next_try_at IS 'Before this time a suspended token is not tried.';
COMMENT ON COLUMN notion_sync.accounts.told_at IS 'When a run last told on stderr that the token cannot be used.';
COMMENT ON COLUMN notion_sync.databases.told_at IS 'When a run last told on stderr that access to it is lacking.';
COMMENT ON COLUMN notion_sync.sync_requests.health IS
    'How what was asked for is since then: ok, degraded (some of it is suspended) or failing.';
COMMENT ON COLUMN notion_sync.databases.suspended_since IS
    'Since when it is tried only now and then: it failed three times in a row for want of access, others did not.';
COMMENT ON COLUMN notion_sync.databases.next_try_at IS 'Before this time a suspended database is not tried.';
COMMENT ON COLUMN notion_sync.databases.name IS 'As configured in user_settings, or as it was called when search found it.';
COMMENT ON COLUMN notion_sync.databases.views IS
    'What its entry in notion_databases says of typed views; null: nothing, so that accounts.views counts.';
COMMENT ON COLUMN notion_sync.databases.bodies IS
    'What its entry in notion_databases says of bodies; null: nothing, so that data_sources.bodies counts.';
COMMENT ON COLUMN notion_sync.databases.listed_at IS
    'When Notion last named its data sources, which are those that are recorded; null: the next sync asks for them.';
COMMENT ON COLUMN notion_sync.databases.title IS 'What Notion calls it; empty: nothing.';
COMMENT ON COLUMN notion_sync.views.renamed_to IS 'The name that the view gets once nobody needs it under its own.';
COMMENT ON COLUMN notion_sync.data_sources.database_name IS 'The name under which its rows are in the sync table.';
COMMENT ON COLUMN notion_sync.data_sources.database_id_as_written IS
    'What new rows have in notion_database_id: the id as user_settings has it; null: as Notion writes it.';
COMMENT ON COLUMN notion_sync.data_sources.view_name IS 'The typed view that shows its rows, for users who want one.';
COMMENT ON COLUMN notion_sync.data_sources.watermark IS 'Every edit up to five minutes before it, by Notion''s clock, is in the copy: the next read begins there.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_at IS 'When the last complete full read began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_started_at IS 'When the full read that is under way began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_covered IS
    'Creation times whose rows the full read under way has written; it is complete when nothing is left out.';
COMMENT ON COLUMN notion_sync.data_sources.held_back IS
    'Rows that the last full read did not find in Notion, too many to remove without somebody''s word.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_version IS
    'The version of the conversion that the full read under way began with.';
-- Ages are told by PostgreSQL's clock, so these are by it; watermark and full_read_at are by Notion's.
COMMENT ON COLUMN notion_sync.data_sources.fresh_as_of IS 'Every edit before this time is in the copy.';
COMMENT ON COLUMN notion_sync.data_sources.full_as_of IS
    'When the last complete full read began: what had left Notion by then has left the copy.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_began_at IS 'When the last full read, complete or not, began.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_progress_at IS
    'When the full read that is under way last recorded progress; null: it is not carried on.';
COMMENT ON SCHEMA notion IS 'Typed views of mirrored Notion databases, kept by notion-pg-sync.';
COMMENT ON TABLE notion_sync.views IS 'The views in the schema notion that are ours, and what their definitions follow from.';
COMMENT ON COLUMN notion_sync.views.typed_view IS 'Of a view beside a typed view: the typed view.';
COMMENT ON COLUMN notion_sync.views.relation IS 'Of a view beside a typed view: the end of its name, the column whose values it has a row for each.';
COMMENT ON COLUMN notion_sync.views.kind IS
    'Of a view beside a typed view: the type of the property (null: relation), or body.';
COMMENT ON COLUMN notion_sync.views.reorder IS
    'Yours to set: whether the next run makes the view again with its columns in the order of a new view.';
COMMENT ON COLUMN notion_sync.sync_requests.database_id IS
    'Null: the database that database_name names or, without a name, every database of the user.';
COMMENT ON COLUMN notion_sync.sync_requests.page_id IS 'Null: all pages of the database.';
COMMENT ON COLUMN notion_sync.sync_requests.runid IS
    'The run that took it up; if it waits, that one died, and it is taken up again.';
COMMENT ON COLUMN notion_sync.sync_requests.started_at IS 'When a run took it up; null: none has yet.';
COMMENT ON TABLE notion_sync.last_looks IS
    'When sync-all --requested last looked for requests, to five minutes: a look that finds none leaves no run.';
COMMENT ON TABLE notion_sync.webhook_days IS 'How many events of Notion''s webhooks receive_webhook was given, by day.';
COMMENT ON COLUMN notion_sync.webhook_days.day IS 'In UTC.';
COMMENT ON COLUMN notion_sync.webhook_days.found_nothing IS 'Of how many no copy has the page or the data source.';
COMMENT ON TABLE notion_sync.page_bodies IS 'The bodies of pages, as far as runs or data_sources.bodies ask for them.';
COMMENT ON COLUMN notion_sync.page_bodies.markdown IS 'Notion''s enhanced Markdown; URLs of hosted files without signature.';
COMMENT ON COLUMN notion_sync.page_bodies.plain_text IS 'The same without marks, for search.';
COMMENT ON COLUMN notion_sync.page_bodies.missing IS 'What could not be read, a word or a sentence each, and is not in the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.content_hash IS 'SHA-256 of the Markdown.';
COMMENT ON COLUMN notion_sync.page_bodies.last_edited_time IS 'The edit of the page that the body stands for, to the minute.';
COMMENT ON COLUMN notion_sync.page_bodies.is_settled IS
    'Whether it was read long enough after that minute that no edit of the minute can be missing.';
COMMENT ON COLUMN notion_sync.page_bodies.fetched_at IS 'When it was asked for, by Notion''s clock.';
COMMENT ON COLUMN notion_sync.page_bodies.read_at IS 'When it was read last, by PostgreSQL''s clock.';
COMMENT ON COLUMN notion_sync.data_sources.bodies IS
    'Yours to set: whether its bodies are read by every run, also by those without --bodies.';
COMMENT ON TABLE notion_sync.left_out IS
    'Values and pages that Notion does not give, and rows that PostgreSQL refuses: what was known of them is kept, and each run tries again.';
COMMENT ON COLUMN notion_sync.left_out.property IS 'The name of the property in Notion; empty: the page itself.';
COMMENT ON COLUMN notion_sync.left_out.created_at IS 'The minute in which the page was created, if no listing gives it.';
COMMENT ON TABLE notion_sync.unread_minutes IS
    'Minutes of which pages are left out that are not known at all, since Notion fails for them; each run tries again.';
COMMENT ON COLUMN notion_sync.unread_minutes.created_at IS 'When these pages were created.';
COMMENT ON COLUMN notion_sync.left_out.reason IS 'An error code, as database_runs has them.';
COMMENT ON COLUMN notion_sync.removed_pages.page_id IS
    'Null: the row was one too many, under something that is no id of Notion; row has it.';
COMMENT ON COLUMN notion_sync.removed_pages.row IS 'The row as it was, ids included.';
COMMENT ON TABLE notion_sync.users IS 'People, bots and groups of a user''s Notion workspace, as far as rows name them.';
COMMENT ON COLUMN notion_sync.users.user_id IS 'The user in user_settings whose copy names them.';
COMMENT ON COLUMN notion_sync.users.id IS 'Notion''s id, as in fields and views.';
COMMENT ON COLUMN notion_sync.users.kind IS 'Null: Notion has not told who it is.';
COMMENT ON COLUMN notion_sync.users.asked_at IS 'When Notion was last asked for it by itself.';
COMMENT ON TABLE notion_sync.search_documents IS 'Titles, texts and words of the pages in the sync tables, for search and look-ups.';
COMMENT ON COLUMN notion_sync.search_documents.text IS 'The values of the text properties, a line each.';
COMMENT ON COLUMN notion_sync.search_documents.body_hash IS 'The content_hash of the body in page_bodies whose words tsv holds.';
COMMENT ON COLUMN notion_sync.search_documents.is_cut IS 'Whether text or body is too long for tsv, which holds the beginning.';
COMMENT ON COLUMN notion_sync.data_sources.is_searchable IS
    'Whether all its rows are in search_documents; the next sync brings those there that an earlier version wrote.';
COMMENT ON COLUMN notion_sync.search_settings.language IS
    'A text search configuration, simple or german for example; all documents follow in the transaction that changes it.';
COMMENT ON TABLE notion_sync.view_sources IS 'Whose rows the typed views show; a session sees those whose rows it sees.';
COMMENT ON COLUMN notion_sync.view_sources.notion_data_source_id IS 'The same id as sync tables have it.';
COMMENT ON COLUMN notion_sync.view_sources.sync_table IS 'As it stands in a statement, quoted where it has to be.';
COMMENT ON COLUMN notion_sync.view_sources.bridges IS
    'The columns that have a view of their own, each with the type of its property.';
COMMENT ON COLUMN notion_sync.view_sources.relations IS 'Those that hold related pages, for views of earlier versions.';
COMMENT ON COLUMN notion_sync.view_sources.status_groups IS 'By column, the group of each option of a status.';
COMMENT ON COLUMN notion_sync.view_sources.data_source_name IS 'What Notion calls the data source.';
COMMENT ON TABLE notion_sync.repeatable IS 'Which functions, policies, grants and comments init applied last.';
COMMENT ON COLUMN notion_sync.repeatable.checksum IS 'SHA-256 of the files that say them.';
COMMENT ON COLUMN notion_sync.repeatable.tool_version IS 'The version of notion-pg-sync that applied them.';
COMMENT ON COLUMN notion_sync.repeatable.state IS 'SHA-256 of what the catalog held of them afterwards.';
COMMENT ON TABLE notion_sync.trusted_owners IS 'Roles whose tables are read and written, as "init --trust" was told.';
COMMENT ON TABLE notion_sync.pages IS
    'One row a page of a sync table: what the page is, what the tool wrote there, and in which transaction.';
COMMENT ON COLUMN notion_sync.pages.source_hash IS 'SHA-256 of what Notion said of the page (its row has it as content_hash).';
COMMENT ON COLUMN notion_sync.pages.answer_hash IS
    'SHA-256 of the answer that the page came in, then source_hash: the same answer need not be parsed again. Null: it is.';
COMMENT ON COLUMN notion_sync.pages.row_id IS 'The id of its row: a row that was deleted comes back under it.';
COMMENT ON COLUMN notion_sync.pages.row_xmin IS
    'The transaction that wrote the row (its xmin): another one means that somebody else wrote it since. Null: there is no row, a trigger keeps it out.';
COMMENT ON COLUMN notion_sync.pages.stored_digest IS
    'SHA-256 of the row as it is stored, where a trigger changed what was written.';
COMMENT ON COLUMN notion_sync.pages.given IS
    'What Notion gave of the columns that a trigger of the table stored otherwise; null: of none.';
COMMENT ON COLUMN notion_sync.pages.icon IS 'As Notion gives it; URLs of hosted files without signature. So is cover.';
COMMENT ON COLUMN notion_sync.pages.public_url IS 'Where the page is published on the web; null: it is not.';
COMMENT ON COLUMN notion_sync.pages.created_by IS 'An id of notion_sync.users, as last_edited_by is.';
COMMENT ON COLUMN notion_sync.pages.incomplete IS
    'The properties, by name, whose values Notion did not give whole or did not compute.';
COMMENT ON COLUMN notion_sync.pages.written_in IS
    'The transaction in which the tool wrote this; where its xmin is another, the next full read writes it again.';
COMMENT ON COLUMN notion_sync.data_sources.table_shape IS
    'Columns and triggers of the sync table when the notes on its rows were begun: once they change, every row is compared.';
COMMENT ON COLUMN notion_sync.search_documents.written_in IS
    'The transaction in which the tool wrote it; where its xmin is another, the next full read writes it again.';
COMMENT ON COLUMN notion_sync.page_bodies.written_in IS
    'The transaction in which the tool wrote it; where its xmin is another, stored_digest tells whether it is still the same.';
COMMENT ON COLUMN notion_sync.page_bodies.stored_digest IS 'SHA-256 of all that the tool wrote of it.';
COMMENT ON COLUMN notion_sync.users.written_in IS
    'The transaction in which the tool wrote it; where its xmin is another, Notion is asked again.';
COMMENT ON COLUMN notion_sync.views.rule_xmin IS
    'The transaction that made the view''s definition (xmin in pg_rewrite): where it is another, somebody replaced the view.';
COMMENT ON TABLE notion_sync.readers IS 'The roles that "grant-reader" made readers; what is made later is granted to them too.';
COMMENT ON COLUMN notion_sync.readers.role_oid IS 'Its oid: another role that gets the name is no reader.';
COMMENT ON COLUMN notion_sync.readers.user_id IS 'The user whose rows alone the role sees; null: everybody''s.';


-- The other tables, and what their columns do not say by their names.
COMMENT ON TABLE notion_sync.accounts IS
    'What the tool keeps of each user: settings, the lease of the run that works on them, and the state of the token.';
COMMENT ON TABLE notion_sync.columns IS
    'The column that each property has in fields and typed views, given once and kept.';
COMMENT ON TABLE notion_sync.data_sources IS
    'Each mirrored data source of a user: its schema, its sync table, and how far it has been read.';
COMMENT ON TABLE notion_sync.database_runs IS
    'What each run did with each database; a session sees what is about its own user.';
COMMENT ON TABLE notion_sync.databases IS
    'Each configured database of a user, and how its last run went; it is what status shows.';
COMMENT ON TABLE notion_sync.job IS 'Commands that were run, in the form of pg_cron''s cron.job.';
COMMENT ON TABLE notion_sync.job_run_details IS
    'One row a run of a command, in the form of pg_cron''s cron.job_run_details.';
COMMENT ON TABLE notion_sync.migrations IS 'The changes of the tables that init has applied.';
COMMENT ON TABLE notion_sync.options IS
    'The options of selects, multi-selects and statuses, in Notion''s order, kept from data_sources.schema.';
COMMENT ON TABLE notion_sync.removed_pages IS 'Rows that left a sync table, as they last were, kept for a year.';
COMMENT ON TABLE notion_sync.run_processes IS
    'The process of each run: how a run that works is told from one that died.';
COMMENT ON TABLE notion_sync.search_settings IS 'The language of search, in one row.';
COMMENT ON TABLE notion_sync.seen_pages IS 'The pages that the full read under way has seen so far.';
COMMENT ON TABLE notion_sync.sync_requests IS 'What was asked for from SQL; the next sync-all serves it first.';
COMMENT ON COLUMN notion_sync.accounts.lease_runid IS 'The run that works on this user now; null: none.';
COMMENT ON COLUMN notion_sync.accounts.lease_expires_at IS
    'When others may take the user over, unless the run renews its lease.';
COMMENT ON COLUMN notion_sync.accounts.token_problem_since IS 'Since when the token cannot be used.';
COMMENT ON COLUMN notion_sync.columns.property_id IS 'As Notion writes it, percent-encoded.';
COMMENT ON COLUMN notion_sync.columns.part IS
    'value: the property itself; at, end and end_at: the further columns of a date.';
COMMENT ON COLUMN notion_sync.columns.name IS 'The key in fields, and the column in typed views.';
COMMENT ON COLUMN notion_sync.columns.type IS 'The column''s type in typed views.';
COMMENT ON COLUMN notion_sync.columns.new_type IS
    'The type that the column would get by now, since the property is of another type in Notion; null: the same.';
COMMENT ON COLUMN notion_sync.columns.unfit_values IS 'How many values the type cannot hold; fields has them.';
COMMENT ON COLUMN notion_sync.data_sources.name IS 'The data source''s own name in Notion.';
COMMENT ON COLUMN notion_sync.data_sources.schema IS 'The properties as Notion gave them last.';
COMMENT ON COLUMN notion_sync.data_sources.schema_fingerprint IS
    'SHA-256 of the names and types in the schema: once it is another, a full read is due.';
COMMENT ON COLUMN notion_sync.data_sources.sync_table IS 'The table that has its rows, as schema.table.';
COMMENT ON COLUMN notion_sync.data_sources.row_count IS 'How many rows it should have.';
COMMENT ON COLUMN notion_sync.data_sources.synced_at IS 'When the last read, full or incremental, was complete.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_confirmed IS
    'Creation times that a second listing has confirmed, where the first missed many rows.';
COMMENT ON COLUMN notion_sync.data_sources.full_read_confirmed_of IS
    'The begin of the full read that full_read_confirmed is of.';
COMMENT ON COLUMN notion_sync.database_runs.mode IS
    'full: all rows were read; incremental: those that were edited; pages: single ones that were asked for, no sync.';
COMMENT ON COLUMN notion_sync.database_runs.error_code IS
    'Null where it succeeded; docs/json-output.md lists the codes.';
COMMENT ON COLUMN notion_sync.databases.found_by_search IS
    'Whether it is not named in notion_databases, but was found by "*".';
COMMENT ON COLUMN notion_sync.databases.failing_since IS
    'When the first of the failures in a row was; null: the last run succeeded.';
COMMENT ON COLUMN notion_sync.left_out.message IS 'What is left out, and why, in a sentence.';
COMMENT ON COLUMN notion_sync.left_out.since IS 'Since when it is left out.';
COMMENT ON COLUMN notion_sync.left_out.tried_at IS 'When it was last tried.';
COMMENT ON COLUMN notion_sync.options.database_name IS 'The name under which the rows are in the sync table.';
COMMENT ON COLUMN notion_sync.options.property IS 'The property''s name in Notion.';
COMMENT ON COLUMN notion_sync.options.column_name IS 'Its column in fields and typed views.';
COMMENT ON COLUMN notion_sync.options."position" IS 'Its place in Notion''s order, from 1.';
COMMENT ON COLUMN notion_sync.options.status_group IS 'Of a status: the name of its group; null for others.';
COMMENT ON COLUMN notion_sync.options.is_done IS
    'Of a status: whether its group is the last, which means that something is done; null for others.';
COMMENT ON COLUMN notion_sync.page_bodies.is_complete IS 'Whether nothing is missing.';
COMMENT ON COLUMN notion_sync.removed_pages.reason IS 'trashed, archived, moved, not_found, missing or duplicate.';
COMMENT ON COLUMN notion_sync.removed_pages.sync_table IS 'The table that had the row.';
COMMENT ON COLUMN notion_sync.run_processes.heartbeat_at IS 'When the process last said that it is alive.';
COMMENT ON COLUMN notion_sync.run_processes.started_by IS
    'What started it, as far as it can tell: cron, systemd, a terminal.';
COMMENT ON COLUMN notion_sync.run_processes.variables IS
    'The names of environment variables that were set, without their values.';
COMMENT ON COLUMN notion_sync.search_documents.title_key IS
    'The beginning of the title in lower case, by which look-ups find it.';
COMMENT ON COLUMN notion_sync.search_documents.tsv IS
    'The words of title, text, names of people and body, as search finds them.';
COMMENT ON COLUMN notion_sync.search_documents.people IS
    'The people whom its properties name, by their ids in notion_sync.users.';
COMMENT ON COLUMN notion_sync.search_documents.people_names IS 'Their names, which follow notion_sync.users.';
COMMENT ON COLUMN notion_sync.sync_requests.database_name IS 'The name that was asked for; null: none was given.';
COMMENT ON COLUMN notion_sync.trusted_owners.owner IS 'The role''s name.';
COMMENT ON COLUMN notion_sync.users.name IS 'Null: Notion has not told it.';
COMMENT ON COLUMN notion_sync.views.fingerprint IS
    'SHA-256 of what the view was made from: another one means that it has to be made again.';

-- Functions; 50_forget.sql says it of the two that applications call.
COMMENT ON FUNCTION notion_sync.any_word_of(tsquery) IS 'For search: the same query, of which one word suffices.';
COMMENT ON FUNCTION notion_sync.as_boolean(jsonb) IS
    'A plain value as a column of a typed view shows it; null where it is no boolean.';
COMMENT ON FUNCTION notion_sync.as_date(text) IS
    'A plain value as a column of a typed view shows it; null where it is no day of the years 1 to 9999.';
COMMENT ON FUNCTION notion_sync.as_notion_id(text) IS
    'The id of a page or database, however it is written; null where it is none.';
COMMENT ON FUNCTION notion_sync.as_numeric(jsonb) IS
    'A plain value as a column of a typed view shows it; null where it is no number.';
COMMENT ON FUNCTION notion_sync.as_text_array(jsonb) IS
    'A plain value as a column of a typed view shows it; null where it is no list.';
COMMENT ON FUNCTION notion_sync.as_timestamptz(text) IS
    'A plain value as a column of a typed view shows it; null where it is no time with its offset.';
COMMENT ON FUNCTION notion_sync.as_uuid(text) IS
    'A plain value as a column of a typed view shows it; null where it is no uuid with dashes.';
COMMENT ON FUNCTION notion_sync.as_uuid_array(jsonb) IS
    'A plain value as a column of a typed view shows it; null where it is no list of uuids.';
COMMENT ON FUNCTION notion_sync.ask_for_copy(text, uuid, uuid) IS
    'For receive_webhook: lets a request for a page, or for its whole database, wait; false where no more may.';
COMMENT ON FUNCTION notion_sync.bound_requests() IS 'Trigger: limits how many requests a user may have waiting.';
COMMENT ON FUNCTION notion_sync.bridges_of(text, uuid) IS
    'The columns of a data source that have a view of their own, with a row for each value, and the types of their properties.';
COMMENT ON FUNCTION notion_sync.check_that_it_stays_away(text, text, text) IS
    'For forget: raises an exception where the next run would bring back what is to be forgotten.';
COMMENT ON FUNCTION notion_sync.copies_of_event(jsonb) IS
    'For receive_webhook: whose copies hold the page, data source or database that an event names.';
COMMENT ON FUNCTION notion_sync.count_event(boolean) IS 'For receive_webhook: counts an event in notion_sync.webhook_days.';
COMMENT ON FUNCTION notion_sync.current_user_id() IS
    'The user whose rows this session sees: the setting app.user_id, else the claim sub; null: nobody.';
COMMENT ON FUNCTION notion_sync.delete_from_sync_table(regclass, text, text, text) IS
    'For forget: deletes a user''s rows from one sync table.';
COMMENT ON FUNCTION notion_sync.delete_rows_of(text, text, text) IS
    'For forget: deletes a user''s rows from every table.';
COMMENT ON FUNCTION notion_sync.drop_views_of_nobody() IS
    'For forget: drops the typed views that show nobody''s rows any more.';
COMMENT ON FUNCTION notion_sync.follow_column_of_options() IS 'Trigger: keeps options.column_name.';
COMMENT ON FUNCTION notion_sync.follow_names_of_people() IS
    'Trigger: brings a person''s name into the documents that search finds by it.';
COMMENT ON FUNCTION notion_sync.follow_options() IS 'Trigger: keeps notion_sync.options.';
COMMENT ON FUNCTION notion_sync.follow_search_language() IS
    'Trigger: brings all documents into the language that search is set to.';
COMMENT ON FUNCTION notion_sync.follow_view_sources() IS 'Trigger: keeps notion_sync.view_sources.';
COMMENT ON FUNCTION notion_sync.forget_rows(text, text, text) IS 'For forget: all that it does.';
COMMENT ON FUNCTION notion_sync.get_notion_page(text, text, text) IS
    'The pages of a user that have this title, in a database of this name (null: in any).';
COMMENT ON FUNCTION notion_sync.get_notion_page(uuid, text, text) IS 'The same for an id of type uuid.';
COMMENT ON FUNCTION notion_sync.has_bodies(text, uuid) IS 'Whether views show the bodies of a data source.';
COMMENT ON FUNCTION notion_sync.hex_of(text) IS
    'The 32 characters of a database''s id; raises an exception where it is none.';
COMMENT ON FUNCTION notion_sync.id_in(text) IS 'The id in a text, as in a Notion URL; null where there is none.';
COMMENT ON FUNCTION notion_sync.is_trusted(oid) IS 'Whether the tables of this role are read and written.';
COMMENT ON FUNCTION notion_sync.is_view_of_ours(text[]) IS
    'Whether a view that has these columns may be one of the tool''s typed views.';
COMMENT ON FUNCTION notion_sync.keep_runs_off(text) IS
    'For forget: raises an exception while a run works on the user, and lets none begin.';
COMMENT ON FUNCTION notion_sync.known_names(text, uuid[]) IS
    'For names_of: the same, for a reader who may read notion_sync.users.';
COMMENT ON FUNCTION notion_sync.known_titles(text, uuid[]) IS
    'For titles_of: the same, for a reader who may read notion_sync.search_documents.';
COMMENT ON FUNCTION notion_sync.lacking_in_public() IS
    'The names of ours that nobody has in public, where this role may create them.';
COMMENT ON FUNCTION notion_sync.list_options(text, uuid) IS
    'Brings notion_sync.options to what the schemas of a user''s data sources say.';
COMMENT ON FUNCTION notion_sync.list_view_sources(text, text) IS
    'Brings notion_sync.view_sources to what the other tables say of a user.';
COMMENT ON FUNCTION notion_sync.names_for_search(text, uuid[]) IS
    'For search: the names of people, one behind the other.';
COMMENT ON FUNCTION notion_sync.names_of(text, uuid[]) IS
    'The names of people by their ids, each in its place; null where one is not known.';
COMMENT ON FUNCTION notion_sync.names_user(text, text) IS 'For forget: whether a text names this user.';
COMMENT ON FUNCTION notion_sync.options_in(jsonb) IS
    'The options of selects, multi-selects and statuses in a schema as Notion gives it.';
COMMENT ON FUNCTION notion_sync.own_search_matches(tsquery, text[], integer) IS
    'For search: the best of the session''s own pages, found by the index with the owner''s rights.';
COMMENT ON FUNCTION notion_sync.pages_without_row(regclass, text, text[], text) IS
    'For forget: which of these pages have no row in a sync table.';
COMMENT ON FUNCTION notion_sync.people_in(jsonb[]) IS 'For search: the ids of people in plain values.';
COMMENT ON FUNCTION notion_sync.queue_request(text, uuid, text, uuid) IS
    'For the functions that ask: queues a request, or finds the same one that waits; its number.';
COMMENT ON FUNCTION notion_sync.receive_webhook(jsonb) IS
    'Takes an event of Notion''s webhooks, whose signature is checked before, and asks for a sync of what it names, for all users who hold that; returns how many requests wait for it.';
COMMENT ON FUNCTION notion_sync.repeatable_state() IS
    'A hash of the functions, policies and triggers, by which init sees that one was changed.';
COMMENT ON FUNCTION notion_sync.retype_column(text, uuid, text, text) IS
    'Gives a column of typed views another type, from the next sync on; for operators.';
COMMENT ON FUNCTION notion_sync.search(text, text, text[], integer) IS
    'Full text search: the best pages first, each with a snippet; user null: everybody whose pages the session sees.';
COMMENT ON FUNCTION notion_sync.search(text, uuid, text[], integer) IS 'The same for an id of type uuid.';
COMMENT ON FUNCTION notion_sync.search_language() IS 'The language that search is set to.';
COMMENT ON FUNCTION notion_sync.search_matches(text, tsquery, text[], integer) IS
    'For search: the best pages of a user.';
COMMENT ON FUNCTION notion_sync.search_matches_of_all(tsquery, text[], integer) IS
    'For search: the best pages of all users.';
COMMENT ON FUNCTION notion_sync.search_phrase(regconfig, text) IS
    'For search: words that stand one after the other, as a query.';
COMMENT ON FUNCTION notion_sync.search_query(regconfig, text) IS
    'For search: what is asked, as a query; no text is an error.';
COMMENT ON FUNCTION notion_sync.search_snippet(regconfig, text, tsquery) IS
    'For search: the lines of a text that answer best, with the words marked.';
COMMENT ON FUNCTION notion_sync.search_vector(regconfig, text, text, text) IS
    'For search: the words of a page, as the index holds them.';
COMMENT ON FUNCTION notion_sync.sees_rows_of(text, text, text, text) IS
    'For view_sources: whether the session sees a row of a data source.';
COMMENT ON FUNCTION notion_sync.set_page_id() IS 'Trigger: keeps page_id in a sync table as notion_page_id says.';
COMMENT ON FUNCTION notion_sync.settings_by(text) IS 'The table user_settings on this search_path.';
COMMENT ON FUNCTION notion_sync.spell_page_id() IS 'Trigger: writes a page id as the other rows of its table do.';
COMMENT ON FUNCTION notion_sync.status_groups_of(text, uuid) IS
    'The groups of the options of a data source''s statuses, by column and option.';
COMMENT ON FUNCTION notion_sync.sync_all_notion_databases(text) IS
    'Asks for a sync of all databases of a user, which the next run serves first; a problem is in the row.';
COMMENT ON FUNCTION notion_sync.sync_all_notion_databases(uuid) IS 'The same for an id of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_database(text, text, text) IS
    'Asks for a sync of one database of a user, by its id, link or name, which the next run serves first.';
COMMENT ON FUNCTION notion_sync.sync_notion_database(uuid, text, text) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_database(text, uuid, text) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_database(uuid, uuid, text) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_page(text, text) IS
    'Asks for a sync of one page that the copy of a user has, by its id or link, which the next run serves first.';
COMMENT ON FUNCTION notion_sync.sync_notion_page(uuid, text) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_page(text, uuid) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_notion_page(uuid, uuid) IS 'The same for ids of type uuid.';
COMMENT ON FUNCTION notion_sync.sync_tables_open(boolean) IS
    'For view_sources: the sync tables of which the session sees more than its own rows.';
COMMENT ON FUNCTION notion_sync.text_in(jsonb) IS 'For search: the text of a plain value, a list with commas.';
COMMENT ON FUNCTION notion_sync.titles_of(text, uuid[]) IS
    'The titles of pages by their ids, each in its place; null where one is not known.';
COMMENT ON FUNCTION notion_sync.turn_of(uuid, interval) IS
    'When it was last a page''s turn to have its body read again.';
COMMENT ON FUNCTION notion_sync.views_of_nobody() IS 'For forget: the typed views that show nobody''s rows any more.';
COMMENT ON FUNCTION notion_sync.waiting_request(text, uuid, text, uuid) IS
    'For the functions that ask: the number of the request of this kind that waits, or null.';
COMMENT ON FUNCTION notion_sync.without_emails(jsonb) IS
    'What Notion says of a page, without the e-mail addresses of people.';
COMMENT ON FUNCTION notion_sync.write_settings(text, text) IS
    'Runs a statement on user_settings with a token, which no error writes to the server''s log.';
COMMENT ON TYPE notion_sync.found_page IS 'A row that get_notion_page returns.';
COMMENT ON TYPE notion_sync.search_result IS 'A row that search returns.';
COMMENT ON TABLE notion_sync.page_changes IS
    'What changed in Notion, a row for each change that a run saw after the first full read (docs/history.md).';
COMMENT ON COLUMN notion_sync.page_changes.change_id IS
    'In the order in which a page changed; not in that in which changes of different pages become visible (changes_since).';
COMMENT ON COLUMN notion_sync.page_changes.transaction_id IS 'The transaction that recorded it.';
COMMENT ON COLUMN notion_sync.page_changes.database_name IS 'The name of the database then.';
COMMENT ON COLUMN notion_sync.page_changes.kind IS 'inserted, updated or removed.';
COMMENT ON COLUMN notion_sync.page_changes.reason IS
    'Why the page came or went, or why values changed though no person changed them; null: a person did.';
COMMENT ON COLUMN notion_sync.page_changes.seen_at IS 'When a run saw it, by PostgreSQL''s clock.';
COMMENT ON COLUMN notion_sync.page_changes.edited_at IS 'When the page was last edited, by Notion''s clock.';
COMMENT ON COLUMN notion_sync.page_changes.edited_by IS
    'Who edited the page last, which need not be who made this change.';
COMMENT ON COLUMN notion_sync.page_changes.old IS
    'The values before, by column, and the page''s url: those that differ, or all where it was removed.';
COMMENT ON COLUMN notion_sync.page_changes.new IS
    'The values after, by column, and the page''s url: those that differ, or all where it was inserted.';
COMMENT ON TABLE notion_sync.history_generations IS
    'Where the numbers of transactions in page_changes begin anew, as after a dump was restored; for changes_since.';
COMMENT ON COLUMN notion_sync.history_generations.first_change_id IS 'No change of it has a smaller number.';
COMMENT ON COLUMN notion_sync.history_generations.system_identifier IS 'Of the cluster in which it began.';
COMMENT ON COLUMN notion_sync.accounts.history IS 'Yours to set: whether changes of the user''s pages are recorded.';
COMMENT ON COLUMN notion_sync.accounts.history_days IS 'Yours to set: for how many days they are kept.';
COMMENT ON COLUMN notion_sync.data_sources.history IS
    'Yours to set: whether changes of its pages are recorded; null: as accounts.history says.';
COMMENT ON COLUMN notion_sync.data_sources.history_days IS
    'Yours to set: for how many days they are kept; null: as accounts.history_days says.';
COMMENT ON COLUMN notion_sync.data_sources.history_since IS
    'Since when every change is recorded: rows_as_of knows what was there from this time on; null: none is recorded.';
COMMENT ON COLUMN notion_sync.databases.former_since IS
    'Since when rows_as_of knows what data sources held that the database no longer has; null: it has had no others.';
COMMENT ON COLUMN notion_sync.databases.former_titles IS
    'The column of the title, by the id of each data source that the database no longer has.';
COMMENT ON VIEW notion_sync.field_changes IS
    'What persons changed in Notion, a row for each column that changed, with people by name.';
COMMENT ON TYPE notion_sync.seen_change IS 'A row that changes_since returns.';
COMMENT ON TYPE notion_sync.past_page IS 'A row that rows_as_of returns.';
COMMENT ON FUNCTION notion_sync.begin_generation() IS
    'Trigger: begins a generation of page_changes where numbers of transactions are not those of this cluster.';
COMMENT ON FUNCTION notion_sync.changes_between(uuid, bigint, bigint, pg_snapshot, pg_snapshot, boolean, bigint) IS
    'For changes_since: the changes that one snapshot sees and another does not.';
COMMENT ON FUNCTION notion_sync.changes_since(text, integer) IS
    'The changes that a consumer has not had yet, each with the position to ask with the next time; null: from the beginning.';
COMMENT ON FUNCTION notion_sync.database_meant(text, text) IS
    'For rows_as_of: the database of a user that a name, an id or a link means.';
COMMENT ON FUNCTION notion_sync.as_given(jsonb, jsonb) IS
    'For the history: what Notion gave of a page, by column, of which a trigger may have stored something else.';
COMMENT ON FUNCTION notion_sync.history_begins(text, uuid) IS
    'Since when the past of a database of a user is known; null where it is not.';
COMMENT ON FUNCTION notion_sync.is_computed(text) IS
    'Whether Notion computes the values of properties of this type, which are no part of the history.';
COMMENT ON FUNCTION notion_sync.is_generation_ours() IS
    'For changes_since: whether the newest generation of page_changes began in this cluster.';
COMMENT ON FUNCTION notion_sync.was_taken_back(bigint, text) IS
    'For changes_since: whether this server does not know a change that it gave, since it was restored to an earlier time.';
COMMENT ON FUNCTION notion_sync.known_generations() IS
    'For changes_since: the generations of page_changes, in order.';
COMMENT ON AGGREGATE notion_sync.merged(jsonb) IS
    'For rows_as_of: objects as one; of what several have, the last one''s counts.';
COMMENT ON FUNCTION notion_sync.with_value(jsonb, jsonb) IS
    'For rows_as_of: the object with this value at each of its keys.';
COMMENT ON FUNCTION notion_sync.without_value(jsonb, jsonb) IS
    'For rows_as_of: the object without the keys at which this value is.';
COMMENT ON FUNCTION notion_sync.rows_as_of(text, text, timestamptz) IS
    'The rows of a database of a user as they were at that time, without what Notion computes.';
COMMENT ON FUNCTION notion_sync.shown_value(jsonb, jsonb) IS
    'For field_changes: a plain value as people read it.';
COMMENT ON COLUMN notion_sync.databases.files IS
    'Whether the files of its pages are kept, as its entry in notion_databases says; null: that says nothing.';
COMMENT ON TABLE notion_sync.files IS
    'The files that Notion hosts and pages name, a row for each user and file: what is kept of them, and why not.';
COMMENT ON COLUMN notion_sync.files.path IS 'The path of its URL at Notion, which names a file for good.';
COMMENT ON COLUMN notion_sync.files.sha256 IS 'The SHA-256 of its bytes, in hex; null: they are not kept.';
COMMENT ON COLUMN notion_sync.files.bytes IS 'How many bytes it has; null: they are not kept.';
COMMENT ON COLUMN notion_sync.files.media_type IS 'What Notion''s storage said of its type.';
COMMENT ON COLUMN notion_sync.files.stored_as IS
    'Where its bytes are, below the place that --files names; null: they are not kept.';
COMMENT ON COLUMN notion_sync.files.fetched_at IS 'When its bytes were fetched; null: they are not kept.';
COMMENT ON COLUMN notion_sync.files.failure IS 'Why it could not be fetched the last time; null: it has not failed.';
COMMENT ON COLUMN notion_sync.files.failed_at IS 'When it failed the last time.';
COMMENT ON COLUMN notion_sync.files.tries IS 'How often it failed.';
COMMENT ON COLUMN notion_sync.files.next_try_at IS
    'When it is tried again at the earliest; null, where it has failed: never by itself.';
COMMENT ON COLUMN notion_sync.files.begun_as IS
    'Where bytes of it may lie since a run began to fetch it and has not ended; null: none does.';
COMMENT ON COLUMN notion_sync.files.wanted_at IS 'When a page was first seen to name it.';
COMMENT ON COLUMN notion_sync.files.unused_since IS
    'Since when no page names it, so that it goes after a while; null: some page does.';
COMMENT ON COLUMN notion_sync.files.unseen IS
    'Whether its bytes are still to be looked for, since another place was taken (file_places) after they were kept.';
COMMENT ON TABLE notion_sync.page_files IS 'Which page names which file that Notion hosts, and where.';
COMMENT ON COLUMN notion_sync.page_files.place IS 'property, cover, icon or body.';
COMMENT ON COLUMN notion_sync.page_files.property IS 'The name of the column; empty where place is not property.';
COMMENT ON COLUMN notion_sync.page_files."position" IS
    'From 1 on; in a property that of the file in the column''s array, among files that Notion does not host too.';
COMMENT ON COLUMN notion_sync.page_files.name IS 'The file''s name, as the page has it.';
COMMENT ON COLUMN notion_sync.page_files.path IS 'The file, see files.path.';
COMMENT ON TABLE notion_sync.discarded_files IS
    'Files that nothing names any more and whose bytes the next run with --files, or forget, removes.';
COMMENT ON TABLE notion_sync.file_places IS
    'The places that kept the bytes of files, by the id in the file .notion-pg-sync there; the one taken last does now.';
COMMENT ON COLUMN notion_sync.file_places.taken_at IS 'When a run began to keep files there; null: it was cut off before.';
COMMENT ON FUNCTION notion_sync.discard_files(text, text[]) IS
    'For forget, exclusions and runs: deletes files that no page names, and notes that their bytes are to be removed.';
COMMENT ON FUNCTION notion_sync.follow_unused_files() IS 'Trigger: notes since when no page names a file.';
COMMENT ON FUNCTION notion_sync.kept_files_of(text, uuid, text, text[]) IS
    'Where the bytes of the files of a property are kept, below the place, file by file.';
COMMENT ON FUNCTION notion_sync.known_files(text, uuid, text, text[]) IS
    'The same, for who may read page_files and files.';

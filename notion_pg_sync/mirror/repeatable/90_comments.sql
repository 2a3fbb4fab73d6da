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
COMMENT ON COLUMN notion_sync.exclusions.since IS 'When it was first seen.';
COMMENT ON COLUMN notion_sync.accounts.rate_limited_until IS 'Until when Notion''s rate limit holds this token back.';
COMMENT ON COLUMN notion_sync.accounts.last_sync_brings IS
    'What the last sync-all was to bring for this user: rows, and full read, bodies or full bodies where it was asked to.';
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
COMMENT ON COLUMN notion_sync.sync_requests.database_id IS 'Null: every database of the user.';
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
COMMENT ON COLUMN notion_sync.pages.row_id IS 'The id of its row: a row that was deleted comes back under it.';
COMMENT ON COLUMN notion_sync.pages.row_xmin IS
    'The transaction that wrote the row (its xmin): another one means that somebody else wrote it since. Null: there is no row, a trigger keeps it out.';
COMMENT ON COLUMN notion_sync.pages.stored_digest IS
    'SHA-256 of the row as it is stored, where a trigger changed what was written.';
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
COMMENT ON COLUMN notion_sync.readers.user_id IS 'The user whose rows alone the role sees; null: everybody''s.';

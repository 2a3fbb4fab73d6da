-- Runs one statement on user_settings, in which $1 is the token, and returns what it returns, or why PostgreSQL refused.
-- With the search_path of the session: triggers of the application may need it, and nothing is named here.
-- An error that left here would be written to the server's log with the whole row that was refused, token included.
CREATE OR REPLACE FUNCTION notion_sync.write_settings(
    statement text, token text, OUT stored text, OUT refused_as text, OUT because text
)
    LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE statement INTO stored USING token;
EXCEPTION
    WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege THEN
        refused_as := SQLSTATE;
        because := SQLERRM;
END
$$;

-- Whoever reaches the schema's functions and nothing else, by way of PostgREST, is not to run statements of their own.
REVOKE EXECUTE ON FUNCTION notion_sync.write_settings(text, text) FROM PUBLIC;

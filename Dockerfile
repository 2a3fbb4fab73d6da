# notion-pg-sync as a container that whatever has the schedule starts:
#   docker build --tag notion-pg-sync .
#   docker run --rm --env DATABASE_URL --env NOTION_TOKEN_KEY notion-pg-sync sync-all
# NOTION_TOKEN_KEY is the key with which the application encrypts tokens; leave it out where it does not.
FROM python:3.13-slim

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY notion_pg_sync notion_pg_sync
RUN pip install --no-cache-dir '.[encryption]' && rm -r /src

# It needs no rights, and writes no file.
WORKDIR /
RUN useradd --system --no-create-home --shell /usr/sbin/nologin notion-sync
USER notion-sync

ENTRYPOINT ["notion-pg-sync"]

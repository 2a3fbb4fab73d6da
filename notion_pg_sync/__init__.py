"""An exact, typed, queryable copy of Notion databases in PostgreSQL."""

__version__ = "0.2.0"

"""The rows of a data source: read, converted, written, removed."""

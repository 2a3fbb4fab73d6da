"""The bytes of the files that Notion hosts: where they are for an hour, and how they are kept."""

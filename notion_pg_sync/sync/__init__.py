"""The job: from the source to the mirror."""

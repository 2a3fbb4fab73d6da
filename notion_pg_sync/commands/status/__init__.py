"""`status`: what is fresh, stale or failing, and the latest runs."""

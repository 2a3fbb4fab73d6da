"""`demo`: the whole tool, no account needed."""

"""`connect`: a user is added, or given another token or other databases, by hand."""

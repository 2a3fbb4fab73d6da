"""The destination: all SQL; knows nothing of HTTP."""

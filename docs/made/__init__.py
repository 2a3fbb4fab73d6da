"""What of the documentation is made by programs: `python -m docs.made.commands`, `….screens`, `….doctor_session`."""

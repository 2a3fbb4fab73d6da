"""What of the documentation is made by programs: each module here, run by `python -m docs.made.<its name>`."""

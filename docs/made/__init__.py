"""What of the documentation is made by programs: `python -m docs.made.commands`, `python -m docs.made.screens`."""

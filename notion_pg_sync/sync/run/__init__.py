"""A run: its record, its accounts, their leases."""

"""What stands inside pages."""

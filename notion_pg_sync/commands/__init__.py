"""The commands: one entry each, named as they are typed."""

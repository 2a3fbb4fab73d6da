"""What every part means alike: pure, and imports nothing of the tool."""

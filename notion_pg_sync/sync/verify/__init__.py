"""`--verify`: reads everything once more and compares. Shares nothing with the sync."""

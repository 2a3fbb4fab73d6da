"""How commands speak: screens, logs, pings."""

"""Who starts the sync, and when: crontabs, systemd timers, and what their commands come to."""

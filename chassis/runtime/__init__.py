"""What a process needs whatever it does: settings, logs, metrics, health, servers, loops, retries, fail points."""

"""Access tokens: the keys that verify them, and which were revoked before they expire."""

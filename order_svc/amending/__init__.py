"""Orders that are changed before they are shipped."""

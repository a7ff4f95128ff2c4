"""Orders: placing, reading, listing and cancelling them; the aggregate and its states."""

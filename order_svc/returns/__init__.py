"""Returns: what customers want to return, and what came back."""

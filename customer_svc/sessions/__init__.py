"""Sessions: logging in, refreshing access tokens, logging out."""

"""What customer_svc is about: accounts, and the links that prove whose they are."""

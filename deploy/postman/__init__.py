"""The Postman collection, and newman, its command-line runner."""

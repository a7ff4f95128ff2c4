"""The REST side of a service: the app, its errors and its OpenAPI, and what every route can use."""

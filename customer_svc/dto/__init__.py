"""The bodies of customer_svc's REST API."""

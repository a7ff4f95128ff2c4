"""What can be done in customer_svc. Each function decides inside a transaction that it neither opens nor ends."""

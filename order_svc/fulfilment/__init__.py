"""Orders on their way to the customer, and back."""

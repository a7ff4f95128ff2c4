"""What the orders of an account use of its limits: orders in a minute, pieces that are not shipped yet."""

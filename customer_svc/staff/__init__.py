"""What staff can do with customers' accounts, and how staff get accounts of their own."""

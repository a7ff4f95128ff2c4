"""Changing the e-mail address of an account, and reverting that from the old address."""

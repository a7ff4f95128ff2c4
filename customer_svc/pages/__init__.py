"""The two pages that links in mails lead to."""

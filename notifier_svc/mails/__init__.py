"""The mail ledger: which mails there are, which events cause them, and how far each has come."""

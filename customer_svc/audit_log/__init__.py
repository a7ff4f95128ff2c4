"""The audit log: who did what to accounts, and who tried."""

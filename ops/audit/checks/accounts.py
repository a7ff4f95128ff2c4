"""Rules for accounts."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "erased_kept",
        "A customer whose erasure is complete has neither an account nor an address.",
        """
        SELECT shown(id), 'customer_svc still has the account'
        FROM account JOIN erasure ON customer_id = id WHERE kept
        UNION ALL
        SELECT shown(customer_id), service || ' still has an address'
        FROM acknowledgement JOIN erasure USING (customer_id)
        WHERE has_address AND done
        """,
    ),
)

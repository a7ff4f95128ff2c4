"""What must be true of accounts."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "erased_kept",
        "Of a customer whom all services say to have forgotten there is neither account nor address.",
        """
        SELECT shown(id), 'customer_svc has the account' FROM account JOIN erasure ON customer_id = id WHERE kept
        UNION ALL
        SELECT shown(customer_id), service || ' has an address' FROM answer JOIN erasure USING (customer_id)
        WHERE has_address AND done
        """,
    ),
)

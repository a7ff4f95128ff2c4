"""Rules for orders."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "order_stuck",
        "No order is PENDING, and no amendment is open, after its deadline.",
        """
        SELECT shown(id), CASE amended WHEN 0 THEN 'PENDING' ELSE 'being amended' END || ' for ' || round(age) || ' s'
        FROM "order" WHERE (state = 'PENDING' OR amended) AND age > :deadline + :settle_seconds
        """,
    ),
    Check(
        "shipped_too_much",
        "No more is shipped than was ordered, and no more is returned than was shipped.",
        """
        SELECT shown(id), 'ordered ' || lines || ', shipped ' || shipped || ', returned ' || returned
        FROM "order" o
        WHERE EXISTS (SELECT 1 FROM json_each(o.shipped) s
                WHERE s.value > coalesce((SELECT value FROM json_each(o.lines) WHERE key = s.key), 0))
            OR EXISTS (SELECT 1 FROM json_each(o.returned) s
                WHERE s.value > coalesce((SELECT value FROM json_each(o.shipped) WHERE key = s.key), 0))
            OR (state IN ('SHIPPED', 'DELIVERED', 'UNDELIVERED')) <> (shipped <> '{}')
            OR (state IN ('DELIVERED', 'UNDELIVERED') AND unshipped <> '{}')
        """,
    ),
    Check(
        "parcel_open",
        "A shipped order ends with its last parcel, and no earlier.",
        """
        SELECT shown(id), state || ', ' || in_transit || ' of ' || parcels || ' parcels in transit'
        FROM "order"
        WHERE (state IN ('DELIVERED', 'UNDELIVERED') AND in_transit > 0)
            OR (state = 'SHIPPED' AND unshipped = '{}' AND settled = parcels)
        """,
    ),
    Check(
        "reply_doubled",
        "Every request to reserve stock, for an order or an amendment, has at most one reply.",
        """
        SELECT shown(key), replies || ' replies to ' || requests || ' requests'
        FROM (
            SELECT o.id AS key,
                (SELECT count(*) FROM event e WHERE e.topic = 'stock.events' AND e.key = o.id
                    AND type IN ('stock.reserved', 'stock.rejected')) AS replies,
                (SELECT count(*) FROM event e WHERE e.topic = 'order.events' AND e.key = o.id
                    AND type IN ('order.placed', 'order.amended')) AS requests
            FROM "order" o
        )
        WHERE replies > requests AND NOT EXISTS (SELECT 1 FROM truncated)
        """,
    ),
)

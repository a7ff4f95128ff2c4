"""What must be true of orders."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "order_stuck",
        "An order, or its amendment, is answered, or the deadline is still to come.",
        """
        SELECT shown(id), CASE amended WHEN 0 THEN 'PENDING' ELSE 'being amended' END || ' for ' || round(age) || ' s'
        FROM "order" WHERE (state = 'PENDING' OR amended) AND age > :deadline + :settle_seconds
        """,
    ),
    Check(
        "shipped_too_much",
        "No more is shipped than was ordered, and no more comes back than was shipped.",
        """
        SELECT shown(id), 'ordered ' || lines || ', shipped ' || shipped || ', returned ' || returned
        FROM "order" o
        WHERE EXISTS (SELECT 1 FROM json_each(o.shipped) s
                WHERE s.value > coalesce((SELECT value FROM json_each(o.lines) WHERE key = s.key), 0))
            OR EXISTS (SELECT 1 FROM json_each(o.returned) s
                WHERE s.value > coalesce((SELECT value FROM json_each(o.shipped) WHERE key = s.key), 0))
            OR (state IN ('SHIPPED', 'DELIVERED')) <> (shipped <> '{}')
            OR (state = 'DELIVERED' AND unshipped <> '{}')
        """,
    ),
    Check(
        "answer_doubled",
        "Whoever asks for the stock of an order, or of an amendment, is answered once.",
        """
        SELECT shown(key), answers || ' answers to ' || questions || ' questions'
        FROM (
            SELECT o.id AS key,
                (SELECT count(*) FROM event e WHERE e.topic = 'stock.events' AND e.key = o.id
                    AND type IN ('stock.reserved', 'stock.rejected')) AS answers,
                (SELECT count(*) FROM event e WHERE e.topic = 'order.events' AND e.key = o.id
                    AND type IN ('order.placed', 'order.amended')) AS questions
            FROM "order" o
        )
        WHERE answers > questions AND NOT EXISTS (SELECT 1 FROM cut)
        """,
    ),
)

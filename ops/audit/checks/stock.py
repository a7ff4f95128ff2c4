"""What must be true of the stock, and of what orders hold of it."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "oversold",
        "Of no SKU is more promised than is there.",
        """
        SELECT sku, on_hand || ' on hand, ' || reserved || ' reserved'
        FROM stock WHERE reserved > on_hand OR reserved < 0
        """,
    ),
    Check(
        "stock_mismatch",
        "What is on hand is the sum of the movements.",
        """
        SELECT sku, 'on hand ' || coalesce(on_hand, 'unknown') || ', by its movements ' || coalesce(pieces, 0)
        FROM (SELECT sku FROM stock UNION SELECT sku FROM moved_of_sku)
            LEFT JOIN stock USING (sku) LEFT JOIN moved_of_sku USING (sku)
        WHERE on_hand IS NOT coalesce(pieces, 0)
        """,
    ),
    Check(
        "stock_mismatch",
        "What is reserved is the sum of the reservations that are held.",
        """
        WITH held AS (
            SELECT line.key AS sku, sum(line.value) AS pieces
            FROM reservation, json_each(reservation.held) AS line WHERE state = 'held' GROUP BY line.key
        )
        SELECT sku, 'reserved ' || coalesce(reserved, 'unknown') || ', by its reservations ' || coalesce(pieces, 0)
        FROM (SELECT sku FROM stock UNION SELECT sku FROM held)
            LEFT JOIN stock USING (sku) LEFT JOIN held USING (sku)
        WHERE reserved IS NOT coalesce(pieces, 0)
        """,
    ),
    Check(
        "reservation_mismatch",
        "A confirmed order holds its stock, one that has ended or is shipped whole holds none.",
        """
        SELECT shown(o.id), 'the order is ' || o.state || ', its reservation ' || coalesce(r.state, 'missing')
        FROM "order" o LEFT JOIN reservation r ON r.order_id = o.id
        WHERE o.state <> 'PENDING' AND o.changed_at <= :settled AND coalesce(r.changed_at, 0) <= :settled
            AND (o.state, coalesce(r.state, 'missing')) NOT IN (VALUES
                ('CONFIRMED', 'held'), ('REJECTED', 'rejected'), ('CANCELLED', 'released'), ('CANCELLED', 'rejected'),
                ('SHIPPED', CASE o.unshipped WHEN '{}' THEN 'shipped' ELSE 'held' END), ('DELIVERED', 'shipped'))
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        """,
    ),
    Check(
        "reservation_mismatch",
        "What is held for an order is what is still to be shipped of it, and nothing else but for an amendment.",
        """
        SELECT shown(o.id), 'to be shipped ' || o.unshipped || ', held ' || r.held
        FROM "order" o JOIN reservation r ON r.order_id = o.id
        WHERE r.state = 'held' AND o.state NOT IN ('REJECTED', 'CANCELLED') AND NOT o.amended
            AND (o.unshipped <> r.held) AND o.changed_at <= :settled AND r.changed_at <= :settled
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        """,
    ),
    Check(
        "reservation_mismatch",
        "The revision that is held, or was shipped, is the one that the order has.",
        """
        SELECT shown(o.id), 'the order is revision ' || o.revision || ', its reservation ' || r.revision
        FROM "order" o JOIN reservation r ON r.order_id = o.id
        WHERE o.state IN ('CONFIRMED', 'SHIPPED', 'DELIVERED') AND r.state IN ('held', 'shipped') AND NOT o.amended
            AND o.revision <> r.revision AND o.changed_at <= :settled AND r.changed_at <= :settled
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        """,
    ),
    Check(
        "parcel_mismatch",
        "What was shipped of an order, and came back, the movements say as well.",
        """
        SELECT shown(id), 'shipped ' || shipped || ', by the movements ' || gone || '; returned ' || returned
            || ', by the movements ' || back
        FROM (
            SELECT o.*, coalesce(r.changed_at, 0) AS held_at,
                (SELECT json_group_object(sku, -pieces) FROM (
                    SELECT * FROM moved m WHERE m.order_id = o.id AND reason = 'shipment' ORDER BY sku)) AS gone,
                (SELECT json_group_object(sku, pieces) FROM (
                    SELECT * FROM moved m WHERE m.order_id = o.id AND reason = 'return' ORDER BY sku)) AS back
            FROM "order" o LEFT JOIN reservation r ON r.order_id = o.id
        )
        WHERE (shipped <> gone OR returned <> back) AND changed_at <= :settled AND held_at <= :settled
            AND (id, 'product_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        """,
    ),
    Check(
        "reservation_mismatch",
        "Stock is set aside for orders only.",
        """
        SELECT shown(order_id), state || ' for an order that order_svc does not know'
        FROM reservation WHERE changed_at <= :settled AND order_id NOT IN (SELECT id FROM "order")
        """,
    ),
)

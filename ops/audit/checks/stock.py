"""Rules for the stock and its reservations."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "oversold",
        "No SKU has more pieces reserved than on hand.",
        """
        SELECT sku, on_hand || ' on hand, ' || reserved || ' reserved'
        FROM stock WHERE reserved > on_hand OR reserved < 0
        """,
    ),
    Check(
        "stock_mismatch",
        "The quantity on hand is the sum of the movements.",
        """
        SELECT sku, 'on hand ' || coalesce(on_hand, 'unknown') || ', sum of movements ' || coalesce(quantity, 0)
        FROM (SELECT sku FROM stock UNION SELECT sku FROM moved_of_sku)
            LEFT JOIN stock USING (sku) LEFT JOIN moved_of_sku USING (sku)
        WHERE on_hand IS NOT coalesce(quantity, 0)
        """,
    ),
    Check(
        "stock_mismatch",
        "The quantity reserved is the sum of the held reservations.",
        """
        WITH held AS (
            SELECT line.key AS sku, sum(line.value) AS quantity
            FROM reservation, json_each(reservation.held) AS line WHERE state = 'held' GROUP BY line.key
        )
        SELECT sku, 'reserved ' || coalesce(reserved, 'unknown') || ', sum of reservations ' || coalesce(quantity, 0)
        FROM (SELECT sku FROM stock UNION SELECT sku FROM held)
            LEFT JOIN stock USING (sku) LEFT JOIN held USING (sku)
        WHERE reserved IS NOT coalesce(quantity, 0)
        """,
    ),
    Check(
        "availability_mismatch",
        "Searches find as available what can be ordered: units that are not reserved, of a SKU that is for sale.",
        """
        SELECT sku, 'searches find it as ' || CASE available WHEN 1 THEN 'available' WHEN 0 THEN 'not available'
            ELSE 'missing' END || '; ' || on_hand || ' on hand, ' || reserved || ' reserved'
        FROM stock LEFT JOIN offer USING (sku)
        WHERE available IS NOT (on_hand > reserved AND NOT discontinued)
        """,
    ),
    Check(
        "reservation_mismatch",
        "A confirmed order holds a reservation; an order that has ended or is shipped completely holds none.",
        """
        SELECT shown(o.id), 'the order is ' || o.state || ', its reservation ' || coalesce(r.state, 'missing')
        FROM "order" o LEFT JOIN reservation r ON r.order_id = o.id
        WHERE o.state <> 'PENDING' AND o.changed_at <= :settled AND coalesce(r.changed_at, 0) <= :settled
            AND (o.state, coalesce(r.state, 'missing')) NOT IN (VALUES
                ('CONFIRMED', 'held'), ('REJECTED', 'rejected'), ('CANCELLED', 'released'), ('CANCELLED', 'rejected'),
                ('SHIPPED', CASE o.unshipped WHEN '{}' THEN 'shipped' ELSE 'held' END), ('DELIVERED', 'shipped'),
                ('UNDELIVERED', 'shipped'))
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM unhandled)
        """,
    ),
    Check(
        "reservation_mismatch",
        "An order holds exactly what is still to be shipped of it and was not lost, except during an amendment.",
        """
        SELECT shown(o.id), 'still to ship ' || o.unshipped || ', missing ' || o.missing || '; held ' || r.held
            || ', lost ' || r.lost
        FROM "order" o JOIN reservation r ON r.order_id = o.id
        WHERE r.state = 'held' AND o.state NOT IN ('REJECTED', 'CANCELLED') AND NOT o.amended
            AND (o.to_hold <> r.held OR o.missing <> r.lost) AND o.changed_at <= :settled AND r.changed_at <= :settled
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM unhandled)
        """,
    ),
    Check(
        "reservation_mismatch",
        "The reservation of an order is for its current revision.",
        """
        SELECT shown(o.id), 'the order is revision ' || o.revision || ', its reservation ' || r.revision
        FROM "order" o JOIN reservation r ON r.order_id = o.id
        WHERE o.state IN ('CONFIRMED', 'SHIPPED', 'DELIVERED', 'UNDELIVERED') AND r.state IN ('held', 'shipped')
            AND NOT o.amended
            AND o.revision <> r.revision AND o.changed_at <= :settled AND r.changed_at <= :settled
            AND (o.id, 'product_svc') NOT IN (SELECT key, "group" FROM unhandled)
        """,
    ),
    Check(
        "parcel_mismatch",
        "The shipments of an order, and what was returned and is not scrapped, are also stock movements.",
        """
        SELECT shown(id), 'shipped ' || shipped || ', moved ' || moved_out
            || '; restocked ' || restocked || ', moved ' || moved_back
        FROM (
            SELECT o.*, coalesce(r.changed_at, 0) AS held_at,
                (SELECT json_group_object(sku, -quantity) FROM (
                    SELECT * FROM moved m WHERE m.order_id = o.id AND reason = 'shipment' ORDER BY sku)) AS moved_out,
                (SELECT json_group_object(sku, quantity) FROM (
                    SELECT * FROM moved m WHERE m.order_id = o.id AND reason = 'return' ORDER BY sku)) AS moved_back
            FROM "order" o LEFT JOIN reservation r ON r.order_id = o.id
        )
        WHERE (shipped <> moved_out OR restocked <> moved_back) AND changed_at <= :settled AND held_at <= :settled
            AND (id, 'product_svc') NOT IN (SELECT key, "group" FROM unhandled)
        """,
    ),
    Check(
        "reservation_mismatch",
        "Every reservation belongs to an order.",
        """
        SELECT shown(order_id), state || ' for an order that order_svc does not know'
        FROM reservation WHERE changed_at <= :settled AND order_id NOT IN (SELECT id FROM "order")
        """,
    ),
)

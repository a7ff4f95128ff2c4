"""What must be true of a shop. Each check is one statement that finds what contradicts it.

Parameters: ``:settled``, the time up to which one service is held against another; ``:deadline``, how many
seconds an order may be PENDING. A statement yields (subject, detail). Effects that are missing because a group
has set an event of their key aside are no contradiction: the dead letter is.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """``code`` is stable; ``rule`` says what should be."""

    code: str
    rule: str
    contradictions: str


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
        FROM (SELECT sku FROM stock UNION SELECT sku FROM moved)
            LEFT JOIN stock USING (sku) LEFT JOIN moved USING (sku)
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
        "order_stuck",
        "An order, or its amendment, is answered, or the deadline is still to come.",
        """
        SELECT shown(id), CASE amended WHEN 0 THEN 'PENDING' ELSE 'being amended' END || ' for ' || round(age) || ' s'
        FROM "order" WHERE (state = 'PENDING' OR amended) AND age > :deadline + :settle_seconds
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
    Check(
        "reservation_mismatch",
        "Stock is set aside for orders only.",
        """
        SELECT shown(order_id), state || ' for an order that order_svc does not know'
        FROM reservation WHERE changed_at <= :settled AND order_id NOT IN (SELECT id FROM "order")
        """,
    ),
    Check(
        "event_lost",
        "Every event that a ledger accounts for is on its topic, or in the outbox on its way there.",
        """
        SELECT topic || '/' || shown(key), 'of the versions 1 to ' || least || ' there are '
            || coalesce(
                (SELECT group_concat(DISTINCT version) FROM event e WHERE e.topic = a.topic AND e.key = a.key),
                'none')
        FROM aggregate a
        WHERE least > 0 AND (
            SELECT count(*) FROM (
                SELECT version FROM event e WHERE e.topic = a.topic AND e.key = a.key AND version <= least
                UNION SELECT version FROM waiting w WHERE w.topic = a.topic AND w.key = a.key AND version <= least
            )
        ) < least - CASE WHEN topic IN (SELECT topic FROM cut) THEN coalesce(
                (SELECT min(version) - 1 FROM event e WHERE e.topic = a.topic AND e.key = a.key), least) ELSE 0 END
        """,
    ),
    Check(
        "event_unknown",
        "Every event on a topic is accounted for by the ledger of its aggregate.",
        """
        SELECT e.topic || '/' || shown(e.key), type || ' is version ' || version || ', the ledger is at '
            || coalesce(most, 'nothing')
        FROM event e LEFT JOIN aggregate a ON a.topic = e.topic AND a.key = e.key
        WHERE published_at <= :settled AND version > coalesce(most, 0)
        """,
    ),
    Check(
        "version_gap",
        "The versions of an aggregate are in order at their first delivery, each there once.",
        """
        SELECT topic || '/' || shown(key), 'version ' || version || ' came after version ' || before
        FROM (
            SELECT topic, key, version,
                lag(version, 1, 0) OVER (PARTITION BY topic, key ORDER BY position) AS before FROM event
        ) WHERE version <= before
        """,
    ),
    Check(
        "doubled_effect",
        "An event has each of its effects once.",
        """
        SELECT topic || '/' || shown(key), count(*) || ' times ' || type || ' because of ' || shown(cause)
        FROM event WHERE cause IS NOT NULL GROUP BY cause, type, topic, key HAVING count(*) > 1
        """,
    ),
    Check(
        "not_handled",
        "An event was handled by every group that handles its type.",
        """
        SELECT topic || '/' || shown(key), h."group" || ' has not handled ' || type || ' ' || shown(e.id)
        FROM event e JOIN handles h USING (type)
        WHERE published_at <= :settled
            AND NOT EXISTS (SELECT 1 FROM handled i WHERE i.id = e.id AND i."group" = h."group")
        """,
    ),
    Check(
        "phantom_inbox",
        "What a group has handled is on a topic.",
        """
        SELECT shown(id), "group" || ' has handled it, and it is on no topic' FROM handled i
        WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = i.id)
            AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.id = i.id AND d."group" = i."group")
            AND NOT EXISTS (SELECT 1 FROM cut)
        """,
    ),
    Check(
        "mail_missing",
        "Every order that ended is mailed about, with what it gave cause for.",
        """
        SELECT shown(order_id), template || CASE WHEN m.id IS NULL THEN ' is not in the ledger'
            ELSE ' is ' || m.state || ' after ' || m.attempts || ' attempts' END
        FROM due LEFT JOIN first_mail m USING (order_id, template)
        WHERE since <= :settled AND coalesce(m.changed_at, 0) <= :settled
            AND NOT EXISTS (SELECT 1 FROM ended_mail e WHERE e.order_id = due.order_id AND e.template = due.template)
            AND (order_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM dead_letter)
            AND (due.customer_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        """,
    ),
    Check(
        "mail_missing",
        "Whatever else happened to an order is mailed about, as often as it did.",
        """
        SELECT shown(h.order_id), times || ' times cause for ' || h.template || ', mails ended: ' || count(m.id)
        FROM happened h LEFT JOIN first_mail m ON m.order_id = h.order_id AND m.template = h.template
            AND (m.state IN ('sent', 'failed', 'suppressed', 'unwanted') OR m.changed_at > :settled)
        WHERE since <= :settled AND (h.order_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM dead_letter)
            AND NOT EXISTS (SELECT 1 FROM mail w JOIN dead_letter d ON d.key = w.customer_id
                WHERE w.order_id = h.order_id AND d."group" = 'notifier_svc')
        GROUP BY h.order_id, h.template HAVING count(m.id) < times
        """,
    ),
    Check(
        "mail_missing",
        "Whatever happened to an account is mailed about. (Not every account has a welcome due.)",
        """
        SELECT shown(n.customer_id), times || ' times cause for ' || n.template || ', mails ended: ' || count(m.id)
        FROM noticed n LEFT JOIN first_mail m ON m.order_id IS NULL AND m.customer_id = n.customer_id
            AND m.template = n.template
            AND (m.state IN ('sent', 'failed', 'suppressed', 'unwanted') OR m.changed_at > :settled)
        WHERE since <= :settled AND n.template <> 'welcome'
            AND (n.customer_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM dead_letter)
        GROUP BY n.customer_id, n.template HAVING count(m.id) < times
        """,
    ),
    Check(
        "mail_failed",
        "No mail was refused for good, but to whoever was erased. (In doubt twice is counted: it may have arrived.)",
        """
        SELECT coalesce(shown(order_id), shown(id)), template || ' was refused for good'
        FROM mail WHERE state = 'failed' AND doubts = 0
            AND customer_id NOT IN (SELECT key FROM event WHERE type = 'customer.erased')
        """,
    ),
    Check(
        "mail_doubled",
        "The end of an order is mailed about once, and every mail is sent once.",
        """
        SELECT shown(order_id), count(*) || ' mails ' || template
        FROM first_mail WHERE template IN ('receipt', 'rejected', 'cancelled', 'delivered')
        GROUP BY order_id, template HAVING count(*) > 1
        UNION ALL
        SELECT shown(key), 'sent ' || count(*) || ' times'
        FROM event WHERE topic = 'notification.events' AND type = 'notification.mail_sent'
        GROUP BY key HAVING count(*) > 1
        """,
    ),
    Check(
        "mail_unfounded",
        "No order is mailed about without cause.",
        """
        SELECT shown(order_id), template || ', for which the order gave no cause'
        FROM mail m LEFT JOIN due USING (order_id, template)
        WHERE since IS NULL AND m.template IN ('receipt', 'rejected', 'cancelled') AND m.changed_at <= :settled
        UNION ALL
        SELECT shown(m.order_id), count(*) || ' mails ' || m.template || ', cause for ' || coalesce(times, 0)
        FROM first_mail m LEFT JOIN happened h ON h.order_id = m.order_id AND h.template = m.template
        WHERE m.order_id IS NOT NULL AND m.template NOT IN ('receipt', 'rejected', 'cancelled')
            AND NOT EXISTS (SELECT 1 FROM cut)
        GROUP BY m.order_id, m.template HAVING count(*) > coalesce(times, 0)
        """,
    ),
    Check(
        "mail_unfounded",
        "No account is mailed about more often than something happened to it.",
        """
        SELECT shown(m.customer_id), count(*) || ' mails ' || m.template || ', cause for ' || coalesce(times, 0)
        FROM first_mail m LEFT JOIN noticed n ON n.customer_id = m.customer_id AND n.template = m.template
        WHERE m.order_id IS NULL AND NOT EXISTS (SELECT 1 FROM cut)
        GROUP BY m.customer_id, m.template HAVING count(*) > coalesce(times, 0)
        """,
    ),
    Check(
        "outbox_waiting",
        "What is in an outbox is published at once.",
        """
        SELECT service, count(*) || ' events wait, the first is ' || shown(min(id))
        FROM waiting WHERE at <= :settled GROUP BY service
        """,
    ),
    Check(
        "dead_letter",
        "Everything can be handled.",
        """
        SELECT topic || '/' || shown(key), "group" || ' has it ' || state || ' since ' || reason || ', from ' || place
            || ': ' || detail
        FROM dead_letter
        """,
    ),
)

COUNTS = {
    "accounts": "SELECT 1 FROM account",
    "products": "SELECT 1 FROM product",
    "skus": "SELECT 1 FROM stock",
    "orders": 'SELECT 1 FROM "order"',
    "orders_in_flight": """SELECT 1 FROM "order" WHERE state = 'PENDING' AND age <= :deadline + :settle_seconds""",
    "orders_confirmed": """SELECT 1 FROM "order" WHERE state = 'CONFIRMED'""",
    "orders_rejected": """SELECT 1 FROM "order" WHERE state = 'REJECTED'""",
    "orders_cancelled": """SELECT 1 FROM "order" WHERE state = 'CANCELLED'""",
    "orders_shipped": """SELECT 1 FROM "order" WHERE state IN ('SHIPPED', 'DELIVERED')""",
    "reservations": "SELECT 1 FROM reservation",
    "mails": "SELECT 1 FROM mail",
    "mails_in_doubt": "SELECT 1 FROM mail WHERE doubts > 0",
    "mails_suppressed": "SELECT 1 FROM mail WHERE state = 'suppressed'",
    "events": "SELECT 1 FROM event",
    "events_handled": "SELECT 1 FROM handled",
    "events_waiting": "SELECT 1 FROM waiting",
    "dead_letters": "SELECT 1 FROM dead_letter",
}

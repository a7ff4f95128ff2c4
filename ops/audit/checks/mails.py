"""Rules for mails."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "mail_missing",
        "Every order that was confirmed, rejected or cancelled has a mail about it.",
        """
        SELECT shown(order_id), template || CASE WHEN m.id IS NULL THEN ' is not in the ledger'
            ELSE ' is ' || m.state || ' after ' || m.attempts || ' attempts' END
        FROM due LEFT JOIN first_mail m USING (order_id, template)
        WHERE since <= :settled AND coalesce(m.changed_at, 0) <= :settled
            AND NOT EXISTS (SELECT 1 FROM ended_mail e WHERE e.order_id = due.order_id AND e.template = due.template)
            AND (order_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM unhandled)
            AND (due.customer_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM unhandled)
            AND due.customer_id NOT IN (SELECT id FROM erased)
        """,
    ),
    Check(
        "mail_missing",
        "Every other event of an order that causes a mail has one.",
        """
        SELECT shown(h.order_id), times || ' mails ' || h.template || ' are due, ended: ' || count(m.id)
        FROM happened h LEFT JOIN first_mail m ON m.order_id = h.order_id AND m.template = h.template
            AND (m.ended OR m.changed_at > :settled)
        WHERE since <= :settled AND (h.order_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM unhandled)
            AND NOT EXISTS (SELECT 1 FROM "order" o JOIN erased ON erased.id = o.customer_id WHERE o.id = h.order_id)
            AND NOT EXISTS (SELECT 1 FROM mail w JOIN unhandled d ON d.key = w.customer_id
                WHERE w.order_id = h.order_id AND d."group" = 'notifier_svc')
        GROUP BY h.order_id, h.template HAVING count(m.id) < times
        """,
    ),
    Check(
        "mail_missing",
        "Every event of an account that causes a mail has one. (Not every account has a welcome due.)",
        """
        SELECT shown(n.customer_id), times || ' mails ' || n.template || ' are due, ended: ' || count(m.id)
        FROM noticed n LEFT JOIN first_mail m ON m.order_id IS NULL AND m.customer_id = n.customer_id
            AND m.template = n.template
            AND (m.ended OR m.changed_at > :settled)
        WHERE since <= :settled AND n.template <> 'welcome'
            AND (n.customer_id, 'notifier_svc') NOT IN (SELECT key, "group" FROM unhandled)
            AND n.customer_id NOT IN (SELECT id FROM erased)
        GROUP BY n.customer_id, n.template HAVING count(m.id) < times
        """,
    ),
    Check(
        "mail_failed",
        "No mail was refused permanently, unless its address does not exist, its customer was erased, or staff have"
        " sent it again. (One in doubt may have arrived.)",
        """
        SELECT shown(coalesce(order_id, id)), template || ' was refused permanently'
        FROM mail WHERE state = 'failed' AND doubts = 0 AND NOT bounced
            AND customer_id NOT IN (SELECT id FROM erased)
            AND id NOT IN (SELECT resend_of FROM mail WHERE resend_of IS NOT NULL AND state = 'sent')
        """,
    ),
    Check(
        "mail_doubled",
        "There is one mail about each thing that happens to an order once, and every mail is sent once.",
        """
        SELECT shown(order_id), count(*) || ' mails ' || template
        FROM first_mail WHERE template IN ('receipt', 'rejected', 'cancelled', 'remainder_cancelled', 'delivered')
        GROUP BY order_id, template HAVING count(*) > 1
        UNION ALL
        SELECT shown(key), 'sent ' || count(*) || ' times'
        FROM event WHERE topic = 'notification.events' AND type = 'notification.mail_sent'
        GROUP BY key HAVING count(*) > 1
        """,
    ),
    Check(
        "mail_unfounded",
        "Every mail about an order has a cause.",
        """
        SELECT shown(order_id), template || ' was not caused by the order'
        FROM mail m LEFT JOIN due USING (order_id, template)
        WHERE since IS NULL AND m.template IN ('receipt', 'rejected', 'cancelled') AND m.changed_at <= :settled
        UNION ALL
        SELECT shown(m.order_id), count(*) || ' mails ' || m.template || ', due: ' || coalesce(times, 0)
        FROM first_mail m LEFT JOIN happened h ON h.order_id = m.order_id AND h.template = m.template
        WHERE m.order_id IS NOT NULL AND m.template NOT IN ('receipt', 'rejected', 'cancelled')
            AND NOT EXISTS (SELECT 1 FROM truncated)
        GROUP BY m.order_id, m.template HAVING count(*) > coalesce(times, 0)
        """,
    ),
    Check(
        "mail_unfounded",
        "Every mail about an account has a cause.",
        """
        SELECT shown(m.customer_id), count(*) || ' mails ' || m.template || ', due: ' || coalesce(times, 0)
        FROM first_mail m LEFT JOIN noticed n ON n.customer_id = m.customer_id AND n.template = m.template
        WHERE m.order_id IS NULL AND NOT EXISTS (SELECT 1 FROM truncated)
        GROUP BY m.customer_id, m.template HAVING count(*) > coalesce(times, 0)
        """,
    ),
)

"""What must be true of events: each is told, once, in order, and handled."""

from ops.audit.checks.check import Check

CHECKS = (
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

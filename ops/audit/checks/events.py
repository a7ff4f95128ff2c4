"""Rules for events: each is published once, in order, and handled."""

from ops.audit.checks.check import Check

CHECKS = (
    Check(
        "event_lost",
        "Every event that a ledger implies is on its topic or in the outbox.",
        """
        SELECT topic || '/' || shown(key), 'of the versions 1 to ' || least || ', these exist: '
            || coalesce(
                (SELECT group_concat(DISTINCT version) FROM event e WHERE e.topic = a.topic AND e.key = a.key),
                'none')
        FROM aggregate a
        WHERE least > 0 AND (
            SELECT count(*) FROM (
                SELECT version FROM event e WHERE e.topic = a.topic AND e.key = a.key AND version <= least
                UNION SELECT version FROM waiting w WHERE w.topic = a.topic AND w.key = a.key AND version <= least
            )
        ) < least - CASE WHEN topic IN (SELECT topic FROM truncated) THEN coalesce(
                (SELECT min(version) - 1 FROM event e WHERE e.topic = a.topic AND e.key = a.key), least) ELSE 0 END
        """,
    ),
    Check(
        "event_unknown",
        "Every event on a topic is implied by the ledger of its aggregate.",
        """
        SELECT e.topic || '/' || shown(e.key), type || ' is version ' || version || ', the ledger is at '
            || coalesce(most, 'nothing')
        FROM event e LEFT JOIN aggregate a ON a.topic = e.topic AND a.key = e.key
        WHERE published_at <= :settled AND version > coalesce(most, 0)
        """,
    ),
    Check(
        "version_gap",
        "The events of an aggregate are published in the order of their versions, each version once.",
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
        "An event causes each of its effects once.",
        """
        SELECT topic || '/' || shown(key), count(*) || ' times ' || type || ' caused by ' || shown(cause)
        FROM event WHERE cause IS NOT NULL GROUP BY cause, type, topic, key HAVING count(*) > 1
        """,
    ),
    Check(
        "not_handled",
        "Every event is handled by every group that handles its type.",
        """
        SELECT topic || '/' || shown(key), h."group" || ' has not handled ' || type || ' ' || shown(e.id)
        FROM event e JOIN handles h USING (type)
        WHERE published_at <= :settled
            AND NOT EXISTS (SELECT 1 FROM handled i WHERE i.id = e.id AND i."group" = h."group")
        """,
    ),
    Check(
        "phantom_inbox",
        "Every event that a group has handled is on a topic.",
        """
        SELECT shown(id), "group" || ' has handled it, but it is on no topic' FROM handled i
        WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = i.id)
            AND NOT EXISTS (SELECT 1 FROM dead_letter d WHERE d.id = i.id AND d."group" = i."group")
            AND NOT EXISTS (SELECT 1 FROM truncated)
        """,
    ),
    Check(
        "outbox_waiting",
        "Events in an outbox are published at once.",
        """
        SELECT service, count(*) || ' events wait, the first one is ' || shown(min(id))
        FROM waiting WHERE at <= :settled GROUP BY service
        """,
    ),
    Check(
        "dead_letter",
        "There are no open dead letters.",
        """
        SELECT topic || '/' || shown(key), "group" || ' has it ' || state || ' (' || reason || '), from ' || place
            || ': ' || detail
        FROM dead_letter WHERE state IN ('dead', 'parked')
        """,
    ),
)

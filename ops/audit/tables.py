"""The tables of what the audit has read, and what is made of them when all of it is there."""

TABLES = """
-- "kept": there is an account, and an erasure of it.
CREATE TABLE account (id PRIMARY KEY, role, version, changed_at, kept) WITHOUT ROWID;
CREATE TABLE product (id PRIMARY KEY, version, changed_at) WITHOUT ROWID;
CREATE TABLE stock (sku PRIMARY KEY, on_hand, reserved, version, changed_at) WITHOUT ROWID;
-- What came and went; by order what was sent and returned for it, all other under no order.
CREATE TABLE moved (order_id, reason, sku, pieces, PRIMARY KEY (order_id, reason, sku)) WITHOUT ROWID;
CREATE TABLE reservation (
    order_id PRIMARY KEY, state, lines, held, revision, version, changed_at
) WITHOUT ROWID;
CREATE TABLE "order" (
    id PRIMARY KEY, customer_id, state, lines, shipped, returned, unshipped, revision, amended, version, age,
    changed_at
) WITHOUT ROWID;
CREATE TABLE mail (
    id PRIMARY KEY, template, order_id, customer_id, state, doubts, attempts, resend_of, changed_at
) WITHOUT ROWID;
CREATE TABLE answer (id PRIMARY KEY, service, customer_id, has_address) WITHOUT ROWID;
CREATE TABLE erasure (customer_id PRIMARY KEY, done) WITHOUT ROWID;

CREATE TABLE handles ("group", type);
CREATE TABLE waiting (service, id, topic, key, version, at);
CREATE TABLE handled (id, "group", PRIMARY KEY (id, "group")) WITHOUT ROWID;
CREATE TABLE dead_letter ("group", id, state, topic, key, place, reason, detail);
CREATE TABLE event (
    id PRIMARY KEY, topic, key, position, version, type, cause, published_at
) WITHOUT ROWID;
CREATE TABLE cut (topic);
"""

VIEWS = """
CREATE TABLE moved_of_sku (sku PRIMARY KEY, pieces) WITHOUT ROWID;
INSERT INTO moved_of_sku SELECT sku, sum(pieces) FROM moved GROUP BY sku;

-- What each ledger says was told of each aggregate, and where: events of the versions 1 to "least" at least.
CREATE TABLE aggregate (topic, key, least, most, PRIMARY KEY (topic, key)) WITHOUT ROWID;
INSERT INTO aggregate
    SELECT 'customer.events', id, version, version FROM account WHERE role = 'customer';
INSERT INTO aggregate
    SELECT 'product.events', id, version, version FROM product;
INSERT INTO aggregate
    SELECT 'stock.events', packed(sku), version, version FROM stock;
INSERT INTO aggregate
    SELECT 'stock.events', order_id, version, version FROM reservation WHERE true ON CONFLICT DO NOTHING;
INSERT INTO aggregate
    SELECT 'order.events', id, version, version FROM "order";
-- A mail that was given up as doubtful, or suppressed, and so told of as failed, may turn out to have been sent.
INSERT INTO aggregate
    SELECT 'notification.events', id, state IN ('sent', 'failed', 'suppressed'),
        (state = 'sent') * 2 + (state IN ('failed', 'suppressed'))
    FROM mail;
-- What staff have had sent again is another mail, for which nothing else gives cause.
CREATE VIEW first_mail AS SELECT * FROM mail WHERE resend_of IS NULL;
CREATE VIEW ended_mail AS SELECT * FROM first_mail WHERE state IN ('sent', 'failed', 'suppressed', 'unwanted');
-- That a service has forgotten a customer is told once.
INSERT INTO aggregate
    SELECT 'erasure.events', id, 1, 1 FROM answer;

-- The mails that orders give cause for. That an order which was cancelled had been confirmed, its events tell.
CREATE VIEW due AS
    SELECT id AS order_id, customer_id, changed_at AS since,
        CASE state WHEN 'REJECTED' THEN 'rejected' WHEN 'CANCELLED' THEN 'cancelled' ELSE 'receipt' END AS template
    FROM "order" WHERE state <> 'PENDING'
    UNION ALL
    SELECT id, customer_id, changed_at, 'receipt' FROM "order" o
    WHERE state = 'CANCELLED' AND EXISTS (
        SELECT 1 FROM event WHERE topic = 'order.events' AND key = o.id AND type = 'order.confirmed');

-- And those that happen to an order more than once, or after its end: how many, and until when.
CREATE VIEW happened AS
    SELECT key AS order_id, template, count(*) AS times, max(published_at) AS since
    FROM event JOIN (
        SELECT 'order.amendment_accepted' AS type, 'order_amended' AS template
        UNION ALL SELECT 'order.amendment_refused', 'amendment_refused'
        UNION ALL SELECT 'order.shipped', 'shipped'
        UNION ALL SELECT 'order.delivered', 'delivered'
        UNION ALL SELECT 'order.returned', 'return_received'
    ) USING (type) GROUP BY key, template;

-- And those that events of accounts give cause for, and of stock, of which staff are told: how many, and until when.
CREATE VIEW noticed AS
    SELECT staff() AS customer_id, 'low_stock' AS template, count(*) AS times, max(published_at) AS since
    FROM event WHERE type = 'stock.low' GROUP BY type
    UNION ALL
    SELECT key, template, count(*), max(published_at)
    FROM event JOIN (
        SELECT 'customer.registered' AS type, 'welcome' AS template
        UNION ALL SELECT 'customer.verification_requested', 'verification'
        UNION ALL SELECT 'customer.registration_repeated', 'registration_repeated'
        UNION ALL SELECT 'customer.password_reset_requested', 'password_reset'
        UNION ALL SELECT 'customer.password_changed', 'password_changed'
    ) USING (type) GROUP BY key, template;

CREATE INDEX event_of_aggregate ON event (topic, key, position, version);
CREATE INDEX mail_of_order ON mail (order_id, template);
CREATE INDEX mail_of_account ON mail (customer_id, template) WHERE order_id IS NULL;
CREATE INDEX waiting_of_aggregate ON waiting (topic, key, version);
CREATE INDEX dead_letter_of_key ON dead_letter (key);
"""

"""The tables for what the audit reads, and the views that are built when everything is read."""

TABLES = """
-- "kept": the account still exists although it was erased.
CREATE TABLE account (id PRIMARY KEY, role, version, changed_at, kept) WITHOUT ROWID;
CREATE TABLE product (id PRIMARY KEY, version, changed_at) WITHOUT ROWID;
CREATE TABLE stock (sku PRIMARY KEY, on_hand, reserved, version, discontinued, changed_at) WITHOUT ROWID;
-- What searches read of a SKU.
CREATE TABLE offer (sku PRIMARY KEY, available) WITHOUT ROWID;
-- Sums of the stock movements: shipments and returns by order, all others without an order.
CREATE TABLE moved (order_id, reason, sku, quantity, PRIMARY KEY (order_id, reason, sku)) WITHOUT ROWID;
CREATE TABLE reservation (
    order_id PRIMARY KEY, state, lines, held, lost, revision, version, changed_at
) WITHOUT ROWID;
-- "to_hold": what is still to be shipped and is not missing.
CREATE TABLE "order" (
    id PRIMARY KEY, customer_id, state, lines, shipped, returned, restocked, unshipped, missing, to_hold,
    in_transit, settled, parcels, revision, amended, version, age, changed_at
) WITHOUT ROWID;
CREATE TABLE mail (
    id PRIMARY KEY, template, order_id, customer_id, state, doubts, attempts, resend_of, bounced, changed_at
) WITHOUT ROWID;
CREATE TABLE acknowledgement (id PRIMARY KEY, service, customer_id, has_address) WITHOUT ROWID;
CREATE TABLE erasure (customer_id PRIMARY KEY, done) WITHOUT ROWID;

CREATE TABLE handles ("group", type);
CREATE TABLE waiting (service, id, topic, key, version, at);
CREATE TABLE handled (id, "group", PRIMARY KEY (id, "group")) WITHOUT ROWID;
CREATE TABLE dead_letter ("group", id, state, topic, key, place, reason, detail);
CREATE TABLE event (
    id PRIMARY KEY, topic, key, position, version, type, cause, published_at
) WITHOUT ROWID;
CREATE TABLE truncated (topic);
"""

VIEWS = """
CREATE TABLE moved_of_sku (sku PRIMARY KEY, quantity) WITHOUT ROWID;
INSERT INTO moved_of_sku SELECT sku, sum(quantity) FROM moved GROUP BY sku;

-- The events of each aggregate according to its ledger: versions 1 to "least" must be published, up to "most" can be.
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
-- A mail that was published as failed (given up in doubt, or suppressed) may turn out to have been sent.
INSERT INTO aggregate
    SELECT 'notification.events', id, state IN ('sent', 'failed', 'suppressed'),
        (state = 'sent') * 2 + (state IN ('failed', 'suppressed'))
    FROM mail;
-- A mail that staff had sent again is a mail of its own, without a cause of its own.
CREATE VIEW first_mail AS
    SELECT *, state IN ('sent', 'failed', 'suppressed', 'unwanted', 'withheld') AS ended
    FROM mail WHERE resend_of IS NULL;
CREATE VIEW ended_mail AS SELECT * FROM first_mail WHERE ended;
-- A service acknowledges the erasure of a customer once.
INSERT INTO aggregate
    SELECT 'erasure.events', id, 1, 1 FROM acknowledgement;

-- Events that have no effect: open dead letters, and those that were discarded.
CREATE VIEW unhandled AS SELECT * FROM dead_letter WHERE state <> 'redriven';
-- Customers who were erased: a replay does not bring their events any more.
CREATE TABLE erased (id PRIMARY KEY) WITHOUT ROWID;
INSERT OR IGNORE INTO erased SELECT key FROM event WHERE type = 'customer.erased';

-- The mails that the states of orders cause. Whether a cancelled order had been confirmed is known from its events.
CREATE VIEW due AS
    SELECT id AS order_id, customer_id, changed_at AS since,
        CASE state WHEN 'REJECTED' THEN 'rejected' WHEN 'CANCELLED' THEN 'cancelled' ELSE 'receipt' END AS template
    FROM "order" WHERE state <> 'PENDING'
    UNION ALL
    SELECT id, customer_id, changed_at, 'receipt' FROM "order" o
    WHERE state = 'CANCELLED' AND EXISTS (
        SELECT 1 FROM event WHERE topic = 'order.events' AND key = o.id AND type = 'order.confirmed');

-- The mails that are caused more than once per order, or after its end: how many, and by events until when.
CREATE VIEW happened AS
    SELECT key AS order_id, template, count(*) AS times, max(published_at) AS since
    FROM event JOIN (
        SELECT 'order.amendment_accepted' AS type, 'order_amended' AS template
        UNION ALL SELECT 'order.amendment_refused', 'amendment_refused'
        UNION ALL SELECT 'order.shipped', 'shipped'
        UNION ALL SELECT 'order.remainder_cancelled', 'remainder_cancelled'
        UNION ALL SELECT 'order.tracking_corrected', 'tracking_corrected'
        UNION ALL SELECT 'order.parcel_failed', 'parcel_failed'
        UNION ALL SELECT 'order.delivered', 'delivered'
        UNION ALL SELECT 'order.return_requested', 'return_requested'
        UNION ALL SELECT 'order.return_approved', 'return_approved'
        UNION ALL SELECT 'order.return_declined', 'return_declined'
        UNION ALL SELECT 'order.returned', 'return_received'
    ) USING (type) GROUP BY key, template;

-- The mails that events of accounts cause, and of stock (to staff): how many, and by events until when.
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
        UNION ALL SELECT 'customer.email_change_requested', 'email_change'
        UNION ALL SELECT 'customer.email_changed', 'email_changed'
        UNION ALL SELECT 'customer.email_change_reverted', 'email_change_reverted'
        UNION ALL SELECT 'customer.erased', 'account_erased'
    ) USING (type) GROUP BY key, template;

CREATE INDEX event_of_aggregate ON event (topic, key, position, version);
CREATE INDEX mail_of_order ON mail (order_id, template);
CREATE INDEX mail_of_account ON mail (customer_id, template) WHERE order_id IS NULL;
CREATE INDEX waiting_of_aggregate ON waiting (topic, key, version);
CREATE INDEX dead_letter_of_key ON dead_letter (key);
"""

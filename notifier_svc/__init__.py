"""Mails: what is sent to customers and staff, and what became of it.

owns        the mail ledger, a replica of the customers, suppressed addresses (PostgreSQL)
publishes   notification.events, erasure.events
consumes    customer.events, order.events, stock.events

``mails`` the ledger of mails · ``delivery`` sending them over SMTP · ``rendering`` templates, texts, locales ·
``suppressions`` addresses that do not exist · ``replicas`` the customers · ``erasure`` what erasing a customer does
"""

SERVICE = "notifier_svc"

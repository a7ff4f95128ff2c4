"""What the audit reads about erased customers."""

LEDGER = (
    "SELECT 'answer' AS kind, 'order_svc' AS service, customer_id,"
    " EXISTS (SELECT 1 FROM orders o, LATERAL (VALUES (o.shipping_address), (o.billing_address),"
    " (o.amendment -> 'shipping_address'), (o.amendment -> 'billing_address')) AS kept (address)"
    " WHERE o.customer_id = e.customer_id AND (address ->> 'street' <> '-'"
    " OR coalesce(address ->> 'company', address ->> 'line2', address ->> 'region', address ->> 'phone')"
    " IS NOT NULL))"
    " OR EXISTS (SELECT 1 FROM customers c WHERE c.id = e.customer_id AND ("
    "c.name IS NOT NULL OR 'object' = ANY (ARRAY[jsonb_typeof(c.shipping), jsonb_typeof(c.billing)]))) AS has_address"
    " FROM erased_customers e"
)
"""The acknowledged erasures: ``has_address``, which a name counts as too, should be false."""

ERASED_CUSTOMERS = (
    "SELECT customer_id FROM public.erased_customers WHERE customer_id = ANY(CAST($1 AS uuid[]))"
    " UNION SELECT id FROM public.customers WHERE id = ANY(CAST($1 AS uuid[])) AND account_status = 'erased'"
)
"""Those of some customers who were erased; for a rebuild, whose connection looks up tables elsewhere."""

"""What the audit reads about erased customers."""

LEDGER = (
    "SELECT 'answer' AS kind, 'order_svc' AS service, customer_id,"
    " EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = e.customer_id AND '-' <> ANY (ARRAY["
    "o.shipping_address ->> 'street', o.billing_address ->> 'street',"
    " o.amendment #>> '{shipping_address,street}', o.amendment #>> '{billing_address,street}']))"
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

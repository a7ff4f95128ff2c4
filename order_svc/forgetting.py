"""The statements by which orders forget whose they were; $1 are customers."""

from order_svc.parts import UNTOLD

# The country stays: what was sold to where is not personal, and has to be known for taxes.
_NOWHERE = """'{"name": "-", "street": "-", "city": "-", "postal_code": "-"}'::jsonb"""
_OF_CUSTOMERS = "customer_id = ANY(CAST($1 AS uuid[]))"

# In the order in which others lock some of them.
LOCK_ORDERS = f"SELECT id, state FROM orders WHERE {_OF_CUSTOMERS} ORDER BY id FOR UPDATE"  # noqa: S608
FORGET_ORDERS = f"""
    UPDATE orders SET
        shipping_address = shipping_address || {_NOWHERE},
        billing_address = billing_address || {_NOWHERE},
        notes = NULL,
        note = NULL,
        amendment = amendment || jsonb_build_object(
            'shipping_address', (amendment -> 'shipping_address') || {_NOWHERE},
            'billing_address', nullif(amendment -> 'billing_address', 'null') || {_NOWHERE}),
        shipments = (
            SELECT coalesce(jsonb_agg(one || '{{"tracking_number": "{UNTOLD}"}}' ORDER BY nth), '[]')
            FROM jsonb_array_elements(shipments) WITH ORDINALITY AS told(one, nth)),
        returns = (
            SELECT coalesce(jsonb_agg(one || '{{"reason": null}}' ORDER BY nth), '[]')
            FROM jsonb_array_elements(returns) WITH ORDINALITY AS told(one, nth))
    WHERE {_OF_CUSTOMERS}
"""  # noqa: S608
FORGET_PARCELS = f"""
    UPDATE timeline SET detail = detail || '{{"tracking_number": "{UNTOLD}"}}'
    WHERE detail ? 'tracking_number' AND order_id IN (SELECT id FROM orders WHERE {_OF_CUSTOMERS})
"""  # noqa: S608
FORGET_ANSWERS = f"""
    UPDATE idempotency_keys SET answer = (answer::jsonb || jsonb_build_object(
        'notes', NULL,
        'shipping_address', (answer::jsonb -> 'shipping_address') || {_NOWHERE},
        'billing_address', nullif(answer::jsonb -> 'billing_address', 'null') || {_NOWHERE}))::text
    WHERE order_id IN (SELECT id FROM orders WHERE {_OF_CUSTOMERS})
"""  # noqa: S608

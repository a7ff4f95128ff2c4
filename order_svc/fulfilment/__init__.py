"""Fulfilment: shipping, delivering and returning what was ordered."""

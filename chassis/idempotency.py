"""What an Idempotency-Key is, wherever one is taken (draft-ietf-httpapi-idempotency-key-header-07)."""

from typing import Annotated

from pydantic import StringConstraints

Key = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""1 to 255 visible ASCII characters."""

"""Generate the key that signs access tokens: ``python -m deploy.signing_key FILE``.

Every installation generates its own at its first start, so none runs with a key that is published in this repository.
"""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def make_signing_key(path: Path) -> bool:
    """Write a new Ed25519 key (PKCS #8 in PEM, mode 0400) and return True; leave an existing one as it is."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=path.parent) as part:
        part.write(pem)
        part.flush()
        os.fchmod(part.fileno(), 0o400)
        os.fsync(part.fileno())
        try:
            # A link appears complete or not at all, and never replaces the key of a concurrent start.
            path.hardlink_to(part.name)
        except FileExistsError:
            return False
    return True


def main(path: Annotated[Path, typer.Argument(metavar="FILE", help="The file for the key.")]) -> None:
    """Generate the key that signs access tokens, unless it exists."""
    typer.echo(f"created {path}" if make_signing_key(path) else f"{path} exists")


if __name__ == "__main__":
    typer.run(main)

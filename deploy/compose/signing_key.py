"""Makes the key that signs access tokens, on the first start: ``python -m deploy.compose.signing_key FILE``.

So no installation ever runs with a key that stands in a file of this project.
"""

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def make_signing_key(path: Path) -> bool:
    """Write a new Ed25519 key (PKCS #8 in PEM, mode 0400) and return True; leave one that is there as it is."""
    if path.exists():
        return False
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=path.parent) as part:
        part.write(pem)
        part.flush()
        os.fchmod(part.fileno(), 0o400)
        os.fsync(part.fileno())
        try:
            # Complete or not at all, and never over the key that another start made meanwhile.
            path.hardlink_to(part.name)
        except FileExistsError:
            return False
    return True


def main(path: Annotated[Path, typer.Argument(metavar="FILE", help="Where the key is to be.")]) -> None:
    """Make the key that signs access tokens, unless there is one."""
    typer.echo(f"made {path}" if make_signing_key(path) else f"{path} is there")


if __name__ == "__main__":
    typer.run(main)

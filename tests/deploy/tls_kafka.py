"""A broker as in production: TLS with a certificate of an authority of its own, users with SCRAM, and grants."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.messaging.brokers import Brokers
from deploy.local.kafka import Kafka
from deploy.local.ports import LOOPBACK

TLS = """
ssl.keystore.type=PEM
ssl.keystore.location={broker}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
"""


class TlsKafka(Kafka):
    """``authority`` is the file with the certificate that its clients have to trust."""

    def __init__(self, home: Path, users: Mapping[str, str]) -> None:
        super().__init__(home, users=users)
        self.authority, self._broker = home / "authority.pem", home / "broker.pem"
        write_certificates(self.authority, self._broker)

    def url_of(self, user: str, protocol: str = "SASL_SSL") -> str:
        return str(Brokers(self.address, protocol, user, self.users[user]))

    def _write_settings(self, data: Path) -> Path:
        path = super()._write_settings(data)
        settings = path.read_text().replace("BROKER:SASL_PLAINTEXT", "BROKER:SASL_SSL")
        path.write_text(settings + TLS.format(broker=self._broker, authority=self.authority))
        return path


def write_certificates(authority: Path, broker: Path) -> None:
    """Write the certificate of an authority, and the key and certificate of a broker on this machine."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("authority", "authority", ca_key, ca_key, x509.BasicConstraints(ca=True, path_length=0))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    certificate = _certificate("broker", "authority", key, ca_key, address)
    authority.write_bytes(ca.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    broker.write_bytes(private + certificate.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM))


def _certificate(
    name: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signing: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(days=1),
    )
    return builder.add_extension(extension, critical=True).sign(signing, hashes.SHA256())

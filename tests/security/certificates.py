"""Authorities of the tests' own, and the certificates that they sign."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Authority:
    """An authority that signs certificates; `file` has its own, for those who trust it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._authority = trustme.CA(organization_name=name)
        self.file = str(folder / f"{name}.pem")
        self._authority.cert_pem.write_to_path(self.file)

    def certificate(self, *names: str, until: datetime | None = None) -> trustme.LeafCert:
        """A certificate for hosts of these names and addresses; `until` is when it expires, after ages by itself."""
        return self._authority.issue_cert(*names, not_before=until and datetime(2000, 1, 1), not_after=until)


def chain(certificate: trustme.LeafCert) -> bytes:
    """The certificate and those between it and its authority, in PEM form."""
    return b"".join(one.bytes() for one in certificate.cert_chain_pems)


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """TLS of a server that shows this certificate."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(tls)
    return tls

"""
A certificate authority that lives for one test run, and certificates of it that hold, or do not.

    authority = Authority(folder)
    server = ScriptedServer(tls=authority.context())            # holds for 127.0.0.1, for whoever trusts authority.ca_file
    server = ScriptedServer(tls=authority.context(host="archive.invalid"))
"""

from __future__ import annotations

import ipaddress
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFE = timedelta(days=2)


class Authority:
    """
    An authority with a key of its own.

    Parameters
    ----------
    folder : where its files go
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file = folder / "authority.crt"
        self.ca_file.write_bytes(_pem(self._certificate("a throw-away authority", self._key, None, is_authority=True)))

    def context(
        self, host: str = "127.0.0.1", *, ends: timedelta = LIFE, is_self_signed: bool = False, is_old: bool = False
    ) -> ssl.SSLContext:
        """
        What a server needs.

        Parameters
        ----------
        host : an IP address or a name that the certificate is for
        ends : from now on; negative for one that has expired
        is_self_signed : signed by itself instead of the authority
        is_old : speaks TLS 1.1 at best
        """
        key = ec.generate_private_key(ec.SECP256R1())
        signer = key if is_self_signed else self._key
        certificate = self._certificate(host, key, signer, ends=ends)
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.folder / f"{certificate.serial_number}.pem"
        path.write_bytes(secret + _pem(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if is_old:
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def _certificate(
        self, name: str, key: Any, signer: Any, *, ends: timedelta = LIFE, is_authority: bool = False
    ) -> Any:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        is_own = signer is None or signer is key
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(name if is_own else "a throw-away authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(name)]), critical=False)
        return builder.sign(key if is_own else signer, hashes.SHA256())


def _host(name: str) -> Any:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: Any) -> bytes:
    data: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return data

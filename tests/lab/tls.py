# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The certificates of the lab: an authority of its own, one server certificate for all listeners, one of an administrator."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import trustme


class Certificates:
    """Made anew at every start; the inventory points to the files."""

    def __init__(self, directory: Path) -> None:
        self.authority = directory / "ca.pem"
        self.client = directory / "client.pem"
        self.client_key = directory / "client.key"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.authority)
        client = authority.issue_cert("administrator@lab.invalid")
        client.cert_chain_pems[0].write_to_path(self.client)
        self.client_key.touch(mode=0o600)
        client.private_key_pem.write_to_path(self.client_key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server = authority.issue_cert("127.0.0.1", "localhost")
        server.configure_cert(self.context)
        certificate = ssl.PEM_cert_to_DER_cert(server.cert_chain_pems[0].bytes().decode())
        #: What a login over TLS is bound to (RFC 5929, 4): the listeners' certificate.
        self.binding = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
        # Asked of every client, wanted from none: a listener takes several schemes on one port.
        self.context.verify_mode = ssl.CERT_OPTIONAL
        authority.configure_trust(self.context)

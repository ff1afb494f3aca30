"""The connections that the collection works over: each as the listeners of the lab that need it."""

from __future__ import annotations

from typing import Any

_BASIC = {"tls": True, "authentication": ["basic"]}

#: Over which no key may go.
UNENCRYPTED: dict[str, Any] = {"tls": False, "authentication": ["basic"], "allow_unencrypted": True}

CONNECTIONS: dict[str, dict[str, Any]] = {
    # Over HTTP, with encrypted messages: what a default Windows Server offers, and the lab's own default.
    "winrm-ntlm": {},
    "winrm-basic-tls": _BASIC,
    "winrm-certificate": {"tls": True, "authentication": ["certificate"]},
    "psrp-negotiate": {"connection": "psrp"},
    "psrp-basic-tls": {"connection": "psrp", **_BASIC},
}

#: Those of machines in a domain, which `make kerberos` runs: they need a KDC and libraries that nothing else needs.
DOMAIN_CONNECTIONS: dict[str, dict[str, Any]] = {
    "winrm-kerberos": {"authentication": ["kerberos", "negotiate"]},
    "psrp-kerberos": {"connection": "psrp", "authentication": ["kerberos", "negotiate"]},
    "winrm-kerberos-tls": {"tls": True, "channel_binding": True, "authentication": ["kerberos", "negotiate"]},
    "psrp-kerberos-tls": {
        "connection": "psrp",
        "tls": True,
        "channel_binding": True,
        "authentication": ["kerberos", "negotiate"],
    },
    "winrm-credssp": {"authentication": ["credssp"]},
    "psrp-credssp": {"connection": "psrp", "authentication": ["credssp"]},
}

"""The connections that the collection works over: each as the listeners of the lab that need it."""

from __future__ import annotations

from typing import Any

_SSH = {"connection": "ssh"}
_BASIC = {"tls": True, "authentication": ["basic"]}

#: Over which no key may go.
UNENCRYPTED: dict[str, Any] = {
    "connection": "winrm",
    "tls": False,
    "authentication": ["basic"],
    "allow_unencrypted": True,
}

CONNECTIONS: dict[str, dict[str, Any]] = {
    # Over HTTP, with encrypted messages: what a default Windows Server offers, and the lab's own default.
    "winrm-ntlm": {"connection": "winrm"},
    "winrm-basic-tls": {"connection": "winrm", **_BASIC},
    "winrm-certificate": {"connection": "winrm", "tls": True, "authentication": ["certificate"]},
    "psrp-negotiate": {"connection": "psrp"},
    "psrp-basic-tls": {"connection": "psrp", **_BASIC},
}

#: Without WS-Management: what hosts and guests of a topology have for it.
POWERSHELL_CONNECTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "ssh-cmd": {"hosts": {"listener": _SSH}, "guests": {"listener": _SSH}},
    "ssh-powershell": {
        "hosts": {"listener": _SSH, "ssh": {"shell": "powershell"}},
        "guests": {"listener": _SSH, "ssh": {"shell": "powershell"}},
    },
    # Through their hosts, which are reached by WinRM.
    "powershell-direct": {"hosts": {}, "guests": {"listener": {"connection": "powershell_direct"}}},
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

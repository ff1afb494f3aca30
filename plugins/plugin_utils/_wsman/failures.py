# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What went wrong on the way to a listener, in plain words. Private to this collection.

There are two phases. Until the listener has let the login in, whatever a library raises means that the machine is unreachable. After
that, only the network does; what cannot be decrypted is an answer that is invalid.
"""

from __future__ import annotations

import binascii
import http.client
import re
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .._session.errors import InvalidAnswerError, RejectedError, SessionError, UnreachableError
from .http import Watch, shown

# If it is missing, the connection plugin has said so before this is used.
with suppress(ImportError):
    import requests


@dataclass(frozen=True)
class OptionNames:
    """What a connection plugin calls the options that a remedy names."""

    authentication: str
    scheme: str
    authorities: str
    certificate: str
    proxy: str
    hostname: str
    service: str
    binding: str
    #: The service that it asks Kerberos tickets for, by default.
    default_service: str
    #: The schemes of HTTP under which it can send them.
    kerberos_schemes: frozenset[str]
    package: str


WINRM = OptionNames(
    authentication="ansible_winrm_transport",
    scheme="ansible_winrm_scheme",
    authorities="ansible_winrm_ca_trust_path",
    certificate="ansible_winrm_cert_pem",
    proxy="ansible_winrm_proxy",
    hostname="ansible_winrm_kerberos_hostname_override",
    service="ansible_winrm_service",
    binding="ansible_winrm_send_cbt",
    default_service="HTTP",
    kerberos_schemes=frozenset({"negotiate"}),
    package="pywinrm",
)
PSRP = OptionNames(
    authentication="ansible_psrp_auth",
    scheme="ansible_psrp_protocol",
    authorities="ansible_psrp_ca_cert",
    certificate="ansible_psrp_certificate_pem",
    proxy="ansible_psrp_proxy or ansible_psrp_ignore_proxy",
    hostname="ansible_psrp_negotiate_hostname_override",
    service="ansible_psrp_negotiate_service",
    binding="ansible_psrp_negotiate_send_cbt",
    default_service="WSMAN",
    kerberos_schemes=frozenset({"negotiate", "kerberos"}),
    package="pypsrp",
)

#: Ways of authentication, as the options name them → as people do, and the schemes of WWW-Authenticate that they need.
_WAYS: dict[str, tuple[str, frozenset[str]]] = {
    "basic": ("Basic", frozenset({"basic"})),
    "plaintext": ("Basic", frozenset({"basic"})),
    "ssl": ("Basic", frozenset({"basic"})),
    "certificate": ("a client certificate", frozenset()),
    "ntlm": ("NTLM", frozenset({"negotiate", "ntlm"})),
    "negotiate": ("Negotiate", frozenset({"negotiate", "kerberos", "ntlm"})),
    "kerberos": ("Kerberos", frozenset()),
    "credssp": ("CredSSP", frozenset({"credssp"})),
}


@dataclass(frozen=True)
class _Cause:
    """What a library says when a login fails, and what to do. ``of_login``: the same login fails at every machine."""

    said: str
    remedy: str
    of_login: bool = False


#: In place of what a library says that stumbles over an answer: it is about the library's own variables.
_UNREADABLE = "the library cannot read what was answered"
_STUMBLES = (AttributeError, KeyError, IndexError, TypeError, UnicodeError, struct.error, binascii.Error)
#: What OpenSSL finds wrong with a certificate (X509_V_ERR_…) → what to do. Of all others the authority is not known.
_CERTIFICATES = {
    9: "The certificate is not valid yet: see that the clocks are right.",
    10: "The certificate has expired: give the machine's listener a new one.",
    62: "The certificate is another name's: have ansible_host name the machine as its certificate does.",
    64: "The certificate is another name's: have ansible_host name the machine as its certificate does.",
    66: "The controller does not take keys as weak as this one: give the machine's listener another certificate.",
    67: "The controller does not take keys as weak as its authority's: give the machine's listener another certificate.",
    68: "The controller does not take signatures as weak as its authority's: give the machine's listener another certificate.",
}
#: What ends the handshake of TLS, in OpenSSL's symbols → what to do.
_HANDSHAKES = (
    ("CERTIFICATE_REQUIRED", "The listener demands a client certificate: name it in {certificate}."),
    (
        "ALERT_(UNKNOWN_CA|(BAD|UNSUPPORTED)_CERTIFICATE|CERTIFICATE_)",
        "The listener does not take the client certificate: see that the machine trusts its authority, and the file in {certificate}.",
    ),
    (
        "HANDSHAKE_FAILURE|NO_SHARED_CIPHER|INSUFFICIENT_SECURITY|KEY_TOO_SMALL|SIGALG|SIGNATURE|LEGACY_RENEGOTIATION",
        "Controller and machine have no cipher of TLS in common, or the listener demands a client certificate ({certificate}).",
    ),
    (
        "PROTOCOL",
        "Controller and machine have no version of TLS in common: have the machine offer TLS 1.2 or newer.",
    ),
)
#: In order: the first that matches counts. The texts are MIT Kerberos' own, which the libraries and kinit pass on.
_CAUSES = (
    _Cause(
        r"Credentials for server have been revoked|Server's entry in database has expired|Server not yet valid",
        "The machine's own account in the domain is disabled, or has expired.",
    ),
    _Cause(
        r"Server '?krbtgt/\S+ not found",
        "The controller takes {target} to be in another realm, for which the user's has no trust: map its DNS domain to its realm in "
        "[domain_realm] of krb5.conf.",
    ),
    _Cause(
        r"Server .*not found in Kerberos database|Server not found",
        "The domain knows no service {target}. Connect by the machine's full DNS name, or give that in {hostname}; "
        "setspn -L on the domain shows the services that the machine has, and {service_option} asks for another.",
    ),
    _Cause(
        r"[Cc]lient .*not found in Kerberos database|Client not found",
        "The domain has no such user. Write ansible_user as user@REALM, with the realm in capitals.",
        of_login=True,
    ),
    _Cause(
        r"Password incorrect|Preauthentication failed|Decrypt integrity check failed",
        "Check ansible_password. It is not tried again, since every try counts towards a lockout.",
        of_login=True,
    ),
    _Cause(
        r"Pre-authentication failed",
        "Check ansible_password: it is empty, or the domain asks this account for more than a password.",
        of_login=True,
    ),
    _Cause(
        r"requires a username|No username or password was specified",
        "Set ansible_user and ansible_password.",
    ),
    _Cause(
        r"Malformed representation of principal",
        "Write ansible_user as user@REALM, with the realm in capitals, and {hostname} and {service_option} as plain names.",
    ),
    _Cause(
        r"read_timeout_sec must exceed",
        "Set ansible_winrm_read_timeout_sec to more than ansible_winrm_operation_timeout_sec.",
    ),
    _Cause(
        r"ansible_winrm_kinit_args|Usage: kinit",
        "Check ansible_winrm_kinit_args.",
    ),
    _Cause(
        r"revoked|STATUS_ACCOUNT_(LOCKED_OUT|DISABLED)|STATUS_INVALID_LOGON_HOURS",
        "The account is locked, disabled, or outside of its logon hours: look at it in the domain before it is tried again.",
        of_login=True,
    ),
    _Cause(
        r"[Pp]assword has expired|Cannot read password|Password change|must change|STATUS_PASSWORD_(EXPIRED|MUST_CHANGE)",
        "The password has expired or must be changed at the next logon: change it once.",
        of_login=True,
    ),
    _Cause(
        r"entry in database has expired|STATUS_ACCOUNT_EXPIRED", "The account has expired in the domain.", of_login=True
    ),
    _Cause(
        r"Cannot contact any KDC",
        "No domain controller answers: look at the network to it (port 88), and at the realm's KDC in krb5.conf or in DNS.",
    ),
    _Cause(
        r"Improper format of Kerberos configuration|[Cc]an't open/find Kerberos configuration",
        "Correct the krb5.conf of the controller, or have KRB5_CONFIG name another one.",
    ),
    _Cause(
        r"KDC policy rejects",
        "A policy of the domain refuses this login: look at authentication policies and at where the account may log on from.",
        of_login=True,
    ),
    _Cause(
        r"KDC reply did not match expectations|Looping detected|Cannot (find|resolve).* KDC|"
        r"Realm not local|Cannot determine realm|Configuration file does not specify|"
        r"[Cc]annot resolve .*realm|unknown realm|not found in .*keytab",
        "Give the realm its KDC in krb5.conf or in DNS, and write it in ansible_user in capitals: user@EXAMPLE.COM.",
        of_login=True,
    ),
    _Cause(
        r"[Cc]lock skew|Ticket not yet valid|STATUS_TIME_DIFFERENCE_AT_DC",
        "The clocks of controller, domain controller and machine must agree within five minutes.",
    ),
    _Cause(
        r"[Tt]icket (has )?expired|context has expired|[Cc]redentials? .*expired",
        "Get a new ticket with kinit, for longer than the run takes (kinit -l).",
    ),
    _Cause(
        r"does not match desired name|[Cc]an't find client principal|Matching credential not found|No Kerberos credentials available|"
        r"No credentials (cache|were supplied)|[Cc]redentials cache .*not found|No (valid )?credentials|SPNEGO cannot find mechanisms",
        "There is no ticket of {user}: see klist, and get one with kinit, have KRB5CCNAME name its cache, or set ansible_password.",
    ),
    _Cause(
        r"no support for encryption type|encryption type .*not supported|[Nn]o (common|supported) encryption",
        "Domain and account have no encryption type in common: allow AES for the account of user and machine, and in "
        "permitted_enctypes in krb5.conf.",
    ),
    _Cause(
        "STATUS_ACCOUNT_RESTRICTION",
        "The account may not log in this way: a member of Protected Users can by Kerberos only.",
        of_login=True,
    ),
    _Cause(
        "STATUS_(LOGON_TYPE_NOT_GRANTED|INVALID_WORKSTATION|AUTHENTICATION_FIREWALL_FAILED)",
        "This account may not log on to this machine over the network.",
    ),
    _Cause(
        "STATUS_(NO_LOGON_SERVERS|NETLOGON_NOT_STARTED|NO_TRUST_SAM_ACCOUNT|TRUSTED_RELATIONSHIP_FAILURE|DOMAIN_CONTROLLER_NOT_FOUND)",
        "The machine itself does not get through to its domain: look at its network, and at Test-ComputerSecureChannel on it.",
    ),
    _Cause(
        r"the machine answered|did not response with a CredSSP token",
        "Check ansible_user and ansible_password, and that this account may log on there. They are not tried again, since every try "
        "counts towards a lockout.",
        of_login=True,
    ),
    _Cause(
        f"{_UNREADABLE}|Invalid token|(not a|Invalid) NTLM Challenge|wrong version number",
        "Check that no proxy and no other service answers in its place.",
    ),
    _Cause(
        "does not prove",
        "Check that no proxy and no other service answers in its place. If the ticket has just expired, get a new one with kinit.",
    ),
    _Cause(
        r"calling kinit|kinit.*(No such file|not found)",
        "Install the Kerberos client (krb5-user on Debian, krb5-workstation on RHEL), or name it in ansible_winrm_kinit_cmd.",
    ),
    _Cause(
        r"No module named|not installed|does not support transport|(Protocol \S+|encryption) is not available|requires .* librar|"
        r"cannot open shared object",
        "Install the Python library on the controller: pip install '{package}[kerberos,credssp]'.",
    ),
)
#: What MIT Kerberos makes of a machine's refusal of a ticket (KRB_ERROR, RFC 4120, 7.5.9).
_TICKET_REFUSED = re.compile(
    r"Message stream modified|[Tt]icket isn't for us|Wrong principal in request|Key version is not available|"
    r"Service key not available|Decrypt integrity check failed"
)
#: What a machine answers to a login by CredSSP ([MS-CSSP] 2.2.1): NTSTATUS ([MS-ERREF] 2.3.1), or what stands for it in the API of SSPI.
_STATUSES = {
    0x8009030C: "SEC_E_LOGON_DENIED",
    0xC000005E: "STATUS_NO_LOGON_SERVERS",
    0xC0000064: "STATUS_NO_SUCH_USER",
    0xC000006A: "STATUS_WRONG_PASSWORD",
    0xC000006D: "STATUS_LOGON_FAILURE",
    0xC000006E: "STATUS_ACCOUNT_RESTRICTION",
    0xC000006F: "STATUS_INVALID_LOGON_HOURS",
    0xC0000070: "STATUS_INVALID_WORKSTATION",
    0xC0000071: "STATUS_PASSWORD_EXPIRED",
    0xC0000072: "STATUS_ACCOUNT_DISABLED",
    0xC0000133: "STATUS_TIME_DIFFERENCE_AT_DC",
    0xC000015B: "STATUS_LOGON_TYPE_NOT_GRANTED",
    0xC000018B: "STATUS_NO_TRUST_SAM_ACCOUNT",
    0xC000018D: "STATUS_TRUSTED_RELATIONSHIP_FAILURE",
    0xC0000192: "STATUS_NETLOGON_NOT_STARTED",
    0xC0000193: "STATUS_ACCOUNT_EXPIRED",
    0xC0000224: "STATUS_PASSWORD_MUST_CHANGE",
    0xC0000233: "STATUS_DOMAIN_CONTROLLER_NOT_FOUND",
    0xC0000234: "STATUS_ACCOUNT_LOCKED_OUT",
    0xC0000413: "STATUS_AUTHENTICATION_FIREWALL_FAILED",
}
#: What means nothing to a reader: numbers of krb5 behind a text, of the operating system before one, names of errors in pyspnego,
#: symbols and lines of code of OpenSSL.
_NUMBERS = re.compile(r" -\d{9,}$|\[Errno \d+\] |SpnegoError \(\d+\): |^\[\w+: \w+\] | \(_ssl\.c:\d+\)$")
#: What gssapi says: a general status, and that of the mechanism, if it has one.
_GSSAPI = re.compile(r"Major \(-?\d+\): (?P<major>.+?), Minor \(-?\d+\): (?P<minor>.+?)\.?$", re.S)
#: What OpenSSL says of an answer that is no TLS at all.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")
#: How a listener that expects TLS answers what is none.
_HUNG_UP = (ConnectionResetError, BrokenPipeError, http.client.BadStatusLine)


class Login:
    """A login at a listener: who tries it, in which way, and what came of it."""

    def __init__(
        self,
        endpoint: str,
        way: str,
        user: str | None,
        options: OptionNames,
        service: str | None = None,
        host_name: str | None = None,
    ) -> None:
        """A login that was not tried yet.

        :param endpoint: The URL of the listener.
        :param way: The way of authentication, as the plugin's option names it.
        :param user: Who; None is whoever the ticket cache is of.
        :param service: The service that Kerberos tickets are for, if it is not the plugin's own.
        :param host_name: The machine that they are for, if it is not that of the endpoint.
        """
        self.endpoint = endpoint
        self.watch = Watch()
        self._known = way in _WAYS
        self._name, schemes = _WAYS.get(way, (way, frozenset()))
        self._schemes = options.kerberos_schemes if way == "kerberos" else schemes
        self._user = user or ("the owner of the ticket cache" if way in {"kerberos", "negotiate"} else "nobody")
        self._options = options
        host = re.sub(r"^\w+://(\[[^\]]*\]|[^:/]*).*", r"\1", endpoint)
        self._target = f"{service or options.default_service}/{host_name or host}"
        self._rejection: UnreachableError | None = None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what the libraries raise into this package's errors. A login that was rejected is not tried again.

        :raises RejectedError: The login was turned down, now or before, and will be by other machines.
        :raises UnreachableError: There is no way to the machine.
        :raises InvalidAnswerError: The login works, and an answer cannot be decrypted.
        """
        if self._rejection is not None:
            raise self._rejection
        try:
            yield
        except SessionError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def rejected(self) -> UnreachableError:
        """The error for HTTP 401 at the end; the login is not tried again here."""
        offers = self.watch.offers
        text = f"{self.endpoint} rejected the credentials of {self._user} (HTTP 401){self.watch.through}: tried {self._name}; "
        text += f"the listener offers {', '.join(offers)}." if offers else "the listener does not say what it offers."
        if self._not_offered:
            remedy = f"Choose a way that it offers in {self._options.authentication}, or enable this one in its WinRM service."
            self._rejection = UnreachableError(f"{text} {remedy}")
        elif self._name == "Kerberos":
            self._rejection = UnreachableError(f"{text} {self._ticket_refused}{self._unbound}")
        else:
            remedy = "Check ansible_user and ansible_password, and that this account may log on there."
            self._rejection = RejectedError(f"{text} {remedy}{self._unbound}")
        return self._rejection

    def status(self, code: int) -> UnreachableError:
        """The error for an HTTP status that is no answer of WS-Management."""
        hint = ""
        if self.watch.proxy:
            hint = f". {self._around_the_proxy}"
        elif code == 404:
            hint = ": is this the WinRM listener, and the path /wsman?"
        return UnreachableError(f"{self.endpoint} answered{self.watch.through} HTTP {code}{hint}")

    def failed(self, said: str) -> UnreachableError:
        """The error for a login that did not come about.

        :param said: What the library said.
        """
        # A connection plugin that lacks its library has not looked yet where the machine is, and how to log in.
        has_looked = not self.endpoint.startswith("://")
        causes = _CAUSES if self._known or not has_looked else ()
        cause = next((cause for cause in causes if re.search(cause.said, said)), None)
        by_ticket = self._name in {"Kerberos", "Negotiate"} and self.watch.spoke
        text = f"{shown(_NUMBERS.sub('', said.partition('Usage:')[0])).rstrip('.')}."
        if has_looked:
            text = f"{self._name} for {self._user} at {self.endpoint}{self.watch.through} failed: {text}"
        if by_ticket and _TICKET_REFUSED.search(said):
            return UnreachableError(f"{text} {self._ticket_refused}")
        if cause is None:
            return UnreachableError(
                f"{text} Check {self._options.authentication}, ansible_user and the machine's name."
            )
        remedy = cause.remedy.format(
            target=self._target,
            hostname=self._options.hostname,
            service_option=self._options.service,
            user=self._user,
            package=self._options.package,
        )
        # A machine cannot speak for the domain.
        if cause.of_login and not by_ticket:
            self._rejection = RejectedError(f"{text} {remedy}")
            return self._rejection
        return UnreachableError(f"{text} {remedy}")

    @property
    def _not_offered(self) -> bool:
        offers = {offer.lower() for offer in self.watch.offers}
        return bool(offers and self._schemes) and not self._schemes & offers

    @property
    def _ticket_refused(self) -> str:
        return (
            "The domain gave a ticket, and the machine does not take it: its clock is off, its password in the domain has changed, "
            f"the name {self._target} belongs to another account, or the user may not log on there."
        )

    @property
    def _unbound(self) -> str:
        if not self.endpoint.startswith("https:") or self._name not in {"Kerberos", "Negotiate", "NTLM"}:
            return ""
        return (
            " If the listener demands channel bindings (CbtHardeningLevel Strict), nothing on the way may end TLS, and "
            f"{self._options.binding} must not be off."
        )

    @property
    def _around_the_proxy(self) -> str:
        return f"If it shall not go through it, name the machine in NO_PROXY, or set {self._options.proxy}."

    def _failure(self, error: Exception) -> SessionError:
        cause = _UNREADABLE if self.watch.heard and isinstance(_chain(error)[-1], _STUMBLES) else innermost(error)
        if isinstance(error, requests.exceptions.Timeout):
            return UnreachableError(f"no answer from {self.endpoint}{self.watch.through} in time ({cause})")
        if isinstance(error, requests.exceptions.RequestException) and not _of_a_login(error):
            return self._cut(error, cause)
        if isinstance(error, OSError) and (path := re.search(r"invalid path: (.*)", str(error))):
            certificate = "certificate file" in str(error) or "key file" in str(error)
            option = self._options.certificate if certificate else self._options.authorities
            return UnreachableError(
                f"no connection to {self.endpoint}: there is no file {path[1]} on the controller. Name one that is there in {option}."
            )
        if not self.watch.answered and self._not_offered:
            return self.rejected()
        if type(error).__name__ == "MutualAuthenticationError":
            return self.failed("the answer does not prove that it is the machine's own")
        if not self.watch.answered or re.search("context has expired|[Tt]icket expired", cause):
            return self.failed(cause)
        return InvalidAnswerError(f"the answer could not be decrypted ({cause})")

    def _cut(self, error: requests.exceptions.RequestException, cause: str) -> UnreachableError:
        """The error for a connection that did not come about or did not last."""
        chain = _chain(error)
        names = self._options
        hint = ""
        if isinstance(error, requests.exceptions.ProxyError):
            hint = f"The proxy itself could not be used. {self._around_the_proxy}"
        elif isinstance(chain[-1], ssl.SSLCertVerificationError):
            cause = f"certificate verify failed: {chain[-1].verify_message}"
            authority = f"The controller does not trust who issued the machine's certificate: give its authority in {names.authorities}."
            hint = _CERTIFICATES.get(chain[-1].verify_code, authority)
        elif any(word in str(item) for item in chain for word in _NO_TLS):
            cause = "it does not speak TLS"
            hint = f"A listener for HTTP is there: set {names.scheme} to http, or the port to that of its HTTPS listener (5986)."
        elif isinstance(error, requests.exceptions.SSLError) and isinstance(chain[-1], OSError):
            hint = self._of_the_handshake(chain[-1])
        elif isinstance(chain[-1], socket.gaierror):
            hint = "The name does not resolve: set ansible_host to a name or an address that does."
        elif self.watch.proxy:
            hint = self._around_the_proxy
        elif self.endpoint.startswith("http:") and not self.watch.heard and isinstance(chain[-1], _HUNG_UP):
            hint = f"If a listener for HTTPS is there, set {names.scheme} to https, or the port to that of its HTTP listener (5985)."
        where = f"{self.endpoint}{self.watch.through}"
        return UnreachableError(f"no connection to {where}, or it was cut ({cause})" + (f". {hint}" if hint else ""))

    def _of_the_handshake(self, error: OSError) -> str:
        """What to do when TLS does not come about."""
        symbol = getattr(error, "reason", None) or ""
        for symbols, remedy in _HANDSHAKES:
            if re.search(symbols, symbol):
                return remedy.format(certificate=self._options.certificate)
        if isinstance(error, ssl.SSLEOFError):
            return "The machine ended TLS without a word: look at its Schannel events."
        return f"Check the file that {self._options.authorities} names."


def innermost(error: BaseException) -> str:
    """What was said at the innermost: by the operating system, TLS or Kerberos, not by the libraries around it."""
    chain = _chain(error)
    answered = next((found for item in chain if (found := _nt_status(item)) is not None), None)
    if answered is not None:
        return f"the machine answered {_STATUSES.get(answered, 'NTSTATUS')} (0x{answered:08X})"
    last = chain[-1]
    if last.args and all(isinstance(item, tuple) for item in last.args):
        # kerberos.GSSError: (major text, major code), (minor text, minor code).
        return shown(str(last.args[-1][0]))
    text = getattr(last, "strerror", None) or str(last) or type(last).__name__
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    text = str(text)
    if status := _GSSAPI.search(text):
        text = status["major"] if status["minor"] == "Success" else status["minor"]
    return shown(_NUMBERS.sub("", text))


def _nt_status(error: BaseException) -> int | None:
    """What a machine said of a login, in an error of pyspnego, which requests_credssp passes on."""
    status = getattr(getattr(error, "base_error", None), "winerror", None)
    return status & 0xFFFFFFFF if isinstance(status, int) else None


def _chain(error: BaseException) -> list[BaseException]:
    seen: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        inner = getattr(following, "reason", None)
        if not isinstance(inner, BaseException):
            inner = following.__cause__ or following.__context__
        if not isinstance(inner, BaseException):
            inner = next((item for item in following.args if isinstance(item, BaseException)), None)
        following = inner
    return seen


def _of_a_login(error: Exception) -> bool:
    """Whether a library that authenticates raised it: pywinrm's Kerberos errors call themselves errors of requests."""
    return "kerberos" in type(error).__module__

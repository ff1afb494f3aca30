"""What the client libraries raise becomes one sentence and a remedy; none of the libraries needs to be there for it."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hyperv.avma.plugins.plugin_utils._session.errors import (
    InvalidAnswerError,
    RejectedError,
    UnreachableError,
)
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.failures import PSRP, WINRM, Login, OptionNames
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.http import Watch
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.psrp import PsrpTransport
from ansible_collections.hyperv.avma.plugins.plugin_utils._wsman.winrm import WinrmTransport

ENDPOINT = "http://hv01.example.com:5985/wsman"
USER = "admin@EXAMPLE.COM"


def stand_in(module: str, name: str, base: type[Exception], *arguments: Any, **attributes: Any) -> Exception:
    """An exception as a library that is not installed raises it."""
    error = type(name, (base,), {"__module__": module, **attributes})(*arguments)
    assert isinstance(error, Exception)
    return error


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def krb5(text: str, code: int) -> Exception:
    """As the library krb5 says it, through pyspnego."""
    inner = stand_in("krb5._exceptions", "Krb5Error", Exception, f"{text} {code}", err_code=code, message=text)
    return caused(
        stand_in("spnego.exceptions", "SpnegoError", Exception, "SpnegoError (13): Unable to establish"), inner
    )


def gssapi(
    text: str, major: str = "Major (851968): Unspecified GSS failure.  Minor code may provide more information"
) -> Exception:
    """As the library gssapi says it."""
    return stand_in("gssapi.exceptions", "GSSError", Exception, f"{major}, Minor (2529639053): {text}")


def pykerberos(text: str, code: int) -> Exception:
    """As pykerberos says it, and what pywinrm makes of it: an error of requests."""
    inner = stand_in("kerberos", "GSSError", Exception, ("Unspecified GSS failure.", 851968), (text, code))
    outer = stand_in(
        "winrm.vendor.requests_kerberos.exceptions",
        "KerberosExchangeError",
        requests.RequestException,
        f"authGSSClientStep() failed: {inner.args}",
    )
    outer.__context__ = inner
    return outer


def credssp(status: int) -> Exception:
    """As requests_credssp passes on what a machine answered; pyspnego knows few statuses."""
    text = "SpnegoError (4294967295): Received NTStatus in TSRequest from acceptor, Context: Processing NTLM token"
    native = SimpleNamespace(winerror=status)
    inner = stand_in("spnego.exceptions", "SpnegoError", Exception, text, base_error=native)
    return caused(stand_in("requests_credssp.exceptions", "AuthenticationException", Exception, text), inner)


def login(way: str = "kerberos", options: OptionNames = WINRM) -> Login:
    return Login(ENDPOINT, way, USER, options)


def failure(error: Exception, attempt: Login | None = None) -> UnreachableError:
    with pytest.raises(UnreachableError) as raised, (attempt or login()).errors():
        raise error
    return raised.value


#: What a library raises, whether the login itself is refused (so that it is tried nowhere else), and what the message must hold.
FAILURES: dict[str, tuple[Exception, bool, list[str]]] = {
    "wrong password, krb5": (krb5("Preauthentication failed", -1765328360), True, ["Check ansible_password"]),
    "unknown user": (
        krb5("Client 'x@EXAMPLE.COM' not found in Kerberos database", -1765328378),
        True,
        ["no such user"],
    ),
    "wrong realm": (krb5('Cannot find KDC for realm "NO.WHERE"', -1765328230), True, ["krb5.conf"]),
    "realm in small letters": (
        krb5("KDC reply did not match expectations", -1765328237),
        True,
        ["in capitals"],
    ),
    "an empty password": (
        krb5("Pre-authentication failed: Input/output error", -1765328174),
        True,
        ["Check ansible_password: it is empty"],
    ),
    "no user": (RuntimeError("ntlm: auth method ntlm requires a username"), False, ["Set ansible_user"]),
    "two at signs": (krb5("Malformed representation of principal", -1765328250), False, ["user@REALM"]),
    "arguments of kinit": (
        AnsibleConnectionFailure("kinit: invalid option -- 'y' Usage: kinit [-V] [-l lifetime]"),
        False,
        ["invalid option -- 'y'. Check ansible_winrm_kinit_args"],
    ),
    "another realm": (
        pykerberos("Server krbtgt/OTHER.EXAMPLE@EXAMPLE.COM not found in Kerberos database", -1765328377),
        False,
        ["HTTP/hv01.example.com to be in another realm", "[domain_realm]"],
    ),
    "timeouts": (
        RuntimeError("kerberos: read_timeout_sec must exceed operation_timeout_sec, and both must be non-zero"),
        False,
        ["Set ansible_winrm_read_timeout_sec"],
    ),
    "no domain controller": (
        krb5("Cannot contact any KDC for realm 'EXAMPLE.COM'", -1765328228),
        False,
        ["No domain controller answers", "port 88"],
    ),
    "no configuration": (
        AnsibleConnectionFailure("kinit: Improper format of Kerberos configuration file while initializing Kerberos 5"),
        False,
        ["Correct the krb5.conf"],
    ),
    "policy": (krb5("KDC policy rejects request", -1765328372), True, ["A policy of the domain"]),
    "the machine's account, disabled": (
        gssapi("Credentials for server have been revoked"),
        False,
        ["The machine's own account"],
    ),
    "the machine's account, expired": (
        pykerberos("Server's entry in database has expired", -1765328382),
        False,
        ["The machine's own account"],
    ),
    "locked": (krb5("Client's credentials have been revoked", -1765328366), True, ["locked"]),
    "expired account": (krb5("Client's entry in database has expired", -1765328383), True, ["account has expired"]),
    "must change": (krb5("Password has expired", -1765328361), True, ["change it once"]),
    "no service, pykerberos": (
        pykerberos("Server not found in Kerberos database", -1765328377),
        False,
        ["HTTP/hv01.example.com", "ansible_winrm_kerberos_hostname_override", "ansible_winrm_service"],
    ),
    "expired ticket, pykerberos": (pykerberos("Ticket expired", -1765328352), False, ["kinit"]),
    "expired ticket, gssapi": (gssapi("Ticket expired"), False, ["kinit"]),
    "expired credentials, gssapi": (
        gssapi("Success", "Major (720896): The referenced credentials have expired"),
        False,
        ["credentials have expired", "kinit"],
    ),
    "no ticket": (
        pykerberos("No Kerberos credentials available (default cache: FILE:/tmp/x)", 1),
        False,
        ["no ticket of", "KRB5CCNAME"],
    ),
    "foreign ticket": (gssapi("Principal in credential cache does not match desired name"), False, ["klist", USER]),
    "clock": (gssapi("Clock skew too great"), False, ["five minutes"]),
    "encryption": (gssapi("KDC has no support for encryption type"), False, ["AES"]),
    "no library": (ImportError("No module named 'gssapi'"), False, ["pip install 'pywinrm[kerberos,credssp]'"]),
    "a library of the system": (
        ImportError("libgssapi_krb5.so.2: cannot open shared object file: No such file or directory"),
        False,
        ["Install the Python library"],
    ),
    "no kinit": (
        AnsibleConnectionFailure("calling kinit cmd 'kinit': [Errno 2] No such file or directory: 'kinit'"),
        False,
        ["krb5-user", "krb5-workstation"],
    ),
    "credssp": (credssp(0xC000006D), True, ["STATUS_LOGON_FAILURE (0xC000006D)", "Check ansible_user"]),
    "credssp, as SSPI says it": (credssp(-0x7FF6FCF4), True, ["SEC_E_LOGON_DENIED (0x8009030C)", "Check ansible_user"]),
    "credssp, locked": (credssp(0xC0000234), True, ["STATUS_ACCOUNT_LOCKED_OUT (0xC0000234)", "The account is locked"]),
    "credssp, logon hours": (credssp(0xC000006F), True, ["outside of its logon hours"]),
    "credssp, must change": (credssp(0xC0000224), True, ["change it once"]),
    "credssp, expired": (credssp(0xC0000193), True, ["The account has expired"]),
    "credssp, protected": (credssp(0xC000006E), True, ["Protected Users", "Kerberos only"]),
    "credssp, no right to log on": (credssp(0xC000015B), False, ["may not log on to this machine over the network"]),
    "credssp, clock": (credssp(0xC0000133), False, ["The clocks of controller"]),
    "credssp, no domain controller": (credssp(0xC000005E), False, ["The machine itself does not get through"]),
    "credssp, no trust": (credssp(0xC000018D), False, ["Test-ComputerSecureChannel"]),
    "credssp, unknown": (credssp(0xC0001234), True, ["NTSTATUS (0xC0001234)", "Check ansible_user"]),
    "credssp of old": (
        stand_in(
            "requests_credssp.exceptions",
            "AuthenticationException",
            Exception,
            "Server did not response with a CredSSP token",
        ),
        True,
        ["Check ansible_user"],
    ),
    "credssp of none": (
        stand_in("winrm.exceptions", "WinRMError", Exception, "requests-credssp is not installed"),
        False,
        ["Install the Python library"],
    ),
    "another answers": (
        stand_in(
            "winrm.vendor.requests_kerberos.exceptions",
            "MutualAuthenticationError",
            Exception,
            "Unable to authenticate <Response [200]>",
        ),
        False,
        ["does not prove", "no proxy", "get a new one with kinit"],
    ),
    "anything else": (RuntimeError("kaputt"), False, ["kaputt", "Check ansible_winrm_transport"]),
    "an error without a word": (OSError(), False, ["OSError"]),
}


@pytest.mark.parametrize("case", FAILURES)
def test_until_the_login_works_whatever_is_raised_means_unreachable(case: str) -> None:
    error, of_login, words = FAILURES[case]
    raised = failure(error)
    assert isinstance(raised, RejectedError) is of_login
    message = str(raised)
    assert message.startswith(f"Kerberos for {USER} at {ENDPOINT} failed: ")
    for expected in words:
        assert expected in message
    for noise in ("851968", "Minor", "-1765328", "Errno", "authGSS", "GSSError", "SpnegoError", "\n"):
        assert noise not in message


@pytest.mark.parametrize(
    "said",
    [
        "Message stream modified",
        "The ticket isn't for us",
        "Wrong principal in request",
        "Key version is not available",
        "Service key not available",
        "Decrypt integrity check failed",
    ],
)
@pytest.mark.parametrize("way", ["kerberos", "negotiate"])
def test_a_machine_that_refuses_the_ticket_is_not_taken_for_the_domain(way: str, said: str) -> None:
    attempt = login(way, PSRP)
    attempt.watch.spoke = True
    raised = failure(gssapi(said), attempt)
    assert f"{said}. The domain gave a ticket, and the machine does not take it: its clock is off" in str(raised)
    assert not isinstance(raised, RejectedError)


def test_a_machine_that_speaks_for_the_domain_ends_the_login_at_no_other_machine() -> None:
    attempt = login("kerberos", PSRP)
    attempt.watch.spoke = True
    for said in ("Preauthentication failed", "Client's credentials have been revoked", "Password has expired"):
        assert not isinstance(failure(gssapi(said), attempt), RejectedError)


def test_a_way_that_there_is_not_is_no_matter_of_libraries() -> None:
    message = str(failure(RuntimeError("WinRM does not support transport(s) ['bogus']"), login("bogus")))
    assert "pip" not in message
    assert "Check ansible_winrm_transport" in message


def test_the_names_of_options_are_those_of_the_plugin() -> None:
    message = str(failure(gssapi("Server not found in Kerberos database"), login(options=PSRP)))
    assert "WSMAN/hv01.example.com" in message
    assert "ansible_psrp_negotiate_service" in message
    assert "ansible_winrm" not in message


def test_after_the_login_what_cannot_be_decrypted_is_an_invalid_answer() -> None:
    attempt = login()
    attempt.watch.answered = True
    for error in (pykerberos("Message stream modified", -1765328343), gssapi("Invalid token"), AttributeError("group")):
        with pytest.raises(InvalidAnswerError, match="could not be decrypted"), attempt.errors():
            raise error


@pytest.mark.parametrize(
    "error", [AttributeError("wrap"), KeyError("127.0.0.1"), TypeError("NoneType"), struct.error("4")]
)
@pytest.mark.parametrize("answered", [False, True])
def test_a_library_that_stumbles_over_an_answer_says_nothing_of_its_own_code(error: Exception, answered: bool) -> None:
    attempt = login("ntlm")
    attempt.watch.heard, attempt.watch.answered = True, answered
    expected = InvalidAnswerError if answered else UnreachableError
    with pytest.raises(expected, match="the library cannot read what was answered") as raised, attempt.errors():
        raise error
    assert error.args[0] not in str(raised.value).replace(ENDPOINT, "")
    if not answered:
        assert "Check that no proxy and no other service answers in its place" in str(raised.value)


@pytest.mark.parametrize("text", ["Ticket expired", "The referenced context has expired"])
def test_a_ticket_that_expires_later_means_unreachable(text: str) -> None:
    attempt = login()
    attempt.watch.answered = True
    assert "kinit -l" in str(failure(gssapi(text), attempt))


def test_a_login_that_was_rejected_is_not_tried_again() -> None:
    attempt = login()
    first = failure(krb5("Preauthentication failed", -1765328360), attempt)
    with pytest.raises(RejectedError) as again, attempt.errors():
        pytest.fail("it was tried again")
    assert again.value is first


def test_a_machine_that_does_not_answer_is_tried_again() -> None:
    attempt = login()
    failure(requests.exceptions.ReadTimeout("Read timed out."), attempt)
    with attempt.errors():
        pass


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "demands a client certificate: name it in ansible_winrm_cert_pem"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not take the client certificate"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "does not take the client certificate"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no cipher of TLS in common"),
        ("DH_KEY_TOO_SMALL", "no cipher of TLS in common"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no version of TLS in common"),
        ("UNSUPPORTED_PROTOCOL", "no version of TLS in common"),
        ("NO_CERTIFICATE_OR_CRL_FOUND", "Check the file that ansible_winrm_ca_trust_path names"),
    ],
)
def test_what_ends_a_handshake_is_told(symbol: str, words: str) -> None:
    error = ssl.SSLError(1, f"[SSL: {symbol}] {symbol.lower().replace('_', ' ')} (_ssl.c:1006)")
    error.reason = symbol
    message = str(failure(caused(requests.exceptions.SSLError("…"), error)))
    assert words in message
    assert f"({symbol.lower().replace('_', ' ')})" in message


def test_a_machine_that_ends_tls_is_not_told_to_be_a_matter_of_a_file() -> None:
    error = caused(requests.exceptions.SSLError("…"), ssl.SSLEOFError(8, "EOF occurred in violation of protocol"))
    assert "(EOF occurred in violation of protocol). The machine ended TLS without a word" in str(failure(error))


def test_a_name_that_does_not_resolve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    attempt = login("ntlm")
    session = requests.Session()
    session.trust_env = False
    attempt.watch.over(session)
    with pytest.raises(UnreachableError) as raised, attempt.errors():
        session.post(ENDPOINT)
    assert "(Name or service not known). The name does not resolve: set ansible_host" in str(raised.value)


@pytest.mark.parametrize(
    ("header", "offers"),
    [
        ('Negotiate, Basic realm="WSMAN"', ("Negotiate", "Basic")),
        ('Basic realm="a, b=c", Kerberos, CredSSP', ("Basic", "Kerberos", "CredSSP")),
        ("Negotiate oYG2MIGzoAMKAQGi==, Negotiate", ("Negotiate",)),
        ("http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual", ("client certificates",)),
        ("<script>, \x1b[31mred, " + "x" * 500, ()),
        ("", ()),
    ],
)
def test_the_listeners_offers_are_read_from_its_challenges(header: str, offers: tuple[str, ...]) -> None:
    watch = Watch()
    response = requests.Response()
    response.status_code = 401
    response.raw = requests.packages.urllib3.HTTPResponse()
    response.headers["WWW-Authenticate"] = header
    watch.after(response)
    assert watch.offers == offers
    assert not watch.answered


def test_an_answer_to_a_token_is_no_new_offer() -> None:
    watch = Watch()
    for header in ("Negotiate, Kerberos, CredSSP", "Negotiate YIIBOgYJKoZIhvcSAQICAwB"):
        assert not watch.spoke
        response = requests.Response()
        response.status_code = 401
        response.raw = requests.packages.urllib3.HTTPResponse()
        response.headers["WWW-Authenticate"] = header
        watch.after(response)
    assert watch.spoke
    assert watch.offers == ("Negotiate", "Kerberos", "CredSSP")


@pytest.mark.parametrize("transport", [WinrmTransport, PsrpTransport])
def test_an_error_without_a_word_while_connecting_is_told_by_its_name(transport: Callable[[Any], object]) -> None:
    def connect() -> None:
        raise RuntimeError

    connection = SimpleNamespace(shell_id=None, runspace=None, protocol=None, _connect=connect)
    with pytest.raises(UnreachableError, match="RuntimeError"):
        transport(connection)


def test_a_connection_that_is_cut_while_a_program_runs_is_told_though_its_shell_cannot_be_closed_any_more() -> None:
    def cut(*_arguments: Any, **_options: Any) -> Any:
        raise requests.exceptions.ConnectionError("Connection aborted.")

    def unreadable(*_arguments: Any, **_options: Any) -> Any:
        raise ValueError("no element found")

    protocol = SimpleNamespace(
        transport=SimpleNamespace(
            endpoint=ENDPOINT, auth_method="kerberos", setup_encryption=None, build_session=requests.Session
        ),
        operation_timeout_sec=20,
        open_shell=lambda **_options: "shell",
        run_command=lambda *_arguments, **_options: "command",
        send_command_input=cut,
        cleanup_command=unreadable,
        close_shell=unreadable,
    )
    connection = SimpleNamespace(shell_id=None, protocol=protocol, _connect=lambda: None)
    transport = WinrmTransport(connection)
    with pytest.raises(UnreachableError, match="or it was cut"):
        transport.run("powershell.exe", [], b"")

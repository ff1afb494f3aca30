# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a Samba Active Directory, fill it, and look into it: a program for the system's Python, which alone has Samba's modules.

The first argument is what to do, standard input its parameters as JSON; what it has to say is JSON on standard output.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision
from samba.samdb import SamDB

#: [MS-ADTS] 2.2.16: a normal account, one that is disabled, a computer.
_NORMAL, _DISABLED, _COMPUTER = 512, 514, 4096
#: FILETIME of 1 January 2000: in the past.
_PAST = 125911584000000000
#: AES256, AES128 and RC4; RC4 alone ([MS-KILE] 2.2.7).
_ENCRYPTION_TYPES, _RC4 = 28, 4


def _database(configuration: str, private: str) -> Any:
    parameters = LoadParm()
    parameters.load(configuration)
    return SamDB(url=f"{private}/sam.ldb", session_info=system_session(), lp=parameters)


def _replace(database: Any, name: Any, **values: object) -> None:
    message = ldb.Message()
    message.dn = name
    for key, value in values.items():
        message[key] = ldb.MessageElement(str(value).encode(), ldb.FLAG_MOD_REPLACE, key)
    database.modify(message)


def create(wanted: dict[str, Any]) -> None:
    """Provision the domain, and add its users and computers."""
    parameters = LoadParm()
    parameters.load(wanted["configuration"])
    logging.disable(logging.CRITICAL)
    provision(
        logging.getLogger(),
        system_session(),
        smbconf=wanted["configuration"],
        lp=parameters,
        realm=wanted["realm"],
        domain=wanted["workgroup"],
        hostname="dc1",
        hostip="127.0.0.1",
        serverrole="active directory domain controller",
        dns_backend="NONE",
        adminpass="Lab-Adm1n-Passw0rd!",
        machinepass="Lab-Mach1ne-Passw0rd!",
        backend_store="mdb",
        backend_store_size=64 << 20,
        # Its owner can be set by root only.
        skip_sysvolacl=True,
        dom_for_fun_level=4,
    )
    database = _database(wanted["configuration"], wanted["private"])
    base = database.get_default_basedn()
    minutes = -600000000
    _replace(
        database,
        base,
        pwdProperties=0,
        lockoutThreshold=wanted["lockout_threshold"],
        lockoutDuration=30 * minutes,
        lockOutObservationWindow=30 * minutes,
        minPwdAge=0,
        pwdHistoryLength=0,
    )
    _replace(database, ldb.Dn(database, f"CN=Partitions,CN=Configuration,{base}"), uPNSuffixes="other.example")
    for user in wanted["users"]:
        database.newuser(user["name"], user["password"])
        name = ldb.Dn(database, f"CN={user['name']},CN=Users,{base}")
        principal = user["upn"] or f"{user['name']}@{wanted['realm'].lower()}"
        _replace(database, name, userPrincipalName=principal, userAccountControl=_NORMAL)
        if user["state"] == "disabled":
            _replace(database, name, userAccountControl=_DISABLED)
        elif user["state"] == "expired":
            _replace(database, name, accountExpires=_PAST)
        elif user["state"] == "password_expired":
            _replace(database, name, pwdLastSet=0)
        elif user["state"] == "protected":
            database.add_remove_group_members("Protected Users", [user["name"]], add_members_operation=True)
    for computer in wanted["computers"]:
        database.add(
            {
                "dn": f"CN={computer['name']},CN=Computers,{base}",
                "objectClass": "computer",
                "sAMAccountName": f"{computer['name']}$",
                "userAccountControl": str(_COMPUTER),
                "unicodePwd": f'"{computer["password"]}"'.encode("utf-16-le"),
                "dNSHostName": computer["host_name"],
                "servicePrincipalName": computer["services"],
                "msDS-SupportedEncryptionTypes": str(_RC4 if computer["rc4_only"] else _ENCRYPTION_TYPES),
            }
        )


def set_password(wanted: dict[str, Any]) -> None:
    """Give an account another password."""
    database = _database(wanted["configuration"], wanted["private"])
    database.setpassword(f"(sAMAccountName={wanted['account']})", wanted["password"])


def unlock(wanted: dict[str, Any]) -> None:
    """Let in an account that too many wrong passwords have locked."""
    database = _database(wanted["configuration"], wanted["private"])
    [found] = database.search(expression=f"(sAMAccountName={wanted['account']})", attrs=[])
    _replace(database, found.dn, lockoutTime=0)


def look(wanted: dict[str, Any]) -> dict[str, str]:
    """Attributes of a user."""
    database = _database(wanted["configuration"], wanted["private"])
    [found] = database.search(expression=f"(sAMAccountName={wanted['name']})", attrs=["badPwdCount", "lockoutTime"])
    return {name: str(found.get(name, "0")) for name in ("badPwdCount", "lockoutTime")}


if __name__ == "__main__":
    verbs: dict[str, Callable[[dict[str, Any]], object]] = {
        "create": create,
        "set_password": set_password,
        "unlock": unlock,
        "look": look,
    }
    print(json.dumps(verbs[sys.argv[1]](json.load(sys.stdin))))

# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which commands there are beside the cmdlets that the lab has."""

from __future__ import annotations

#: Aliases of 5.1, in lower case.
ALIASES = {
    "?": "where-object", "where": "where-object", "%": "foreach-object", "foreach": "foreach-object", "select": "select-object",
    "sort": "sort-object", "measure": "measure-object", "echo": "write-output", "write": "write-output", "iex": "invoke-expression",
    "icm": "invoke-command", "gcim": "get-ciminstance", "icim": "invoke-cimmethod", "gcai": "get-cimassociatedinstance",
    "ncim": "new-ciminstance", "sleep": "start-sleep", "gmo": "get-module", "ipmo": "import-module", "gcm": "get-command",
    "rcjb": "receive-job", "wjb": "wait-job", "spjb": "stop-job", "rjb": "remove-job",
}  # fmt: skip


#: Cmdlets that every Windows has and the lab has not, as far as a script may want one.
UNKNOWN_CMDLETS = {
    "add-content", "clear-content", "clear-variable", "compare-object", "convertfrom-csv", "convertfrom-securestring", "convertto-csv",
    "convertto-xml", "copy-item", "disable-computerrestore", "enter-pssession", "export-clixml", "export-csv", "format-list",
    "format-table", "get-alias", "get-childitem", "get-cimassociatedinstance", "get-cimclass", "get-cimsession", "get-clusternode",
    "get-content", "get-credential", "get-culture", "get-eventlog", "get-help", "get-host", "get-hotfix", "get-item", "get-itemproperty",
    "get-itempropertyvalue", "get-location", "get-member", "get-process", "get-psdrive", "get-pssession", "get-service", "get-timezone",
    "get-uiculture", "get-variable", "get-vm", "get-winevent", "get-wmiobject", "group-object", "import-clixml", "import-csv",
    "invoke-restmethod", "invoke-webrequest", "invoke-wmimethod", "join-path", "measure-command", "move-item", "new-cimsession",
    "new-cimsessionoption", "new-item", "new-itemproperty", "new-pssession", "new-timespan", "new-variable", "out-default", "out-file",
    "out-host", "read-host", "register-cimindicationevent", "remove-ciminstance", "remove-cimsession", "remove-item",
    "remove-itemproperty", "remove-pssession", "remove-variable", "rename-item", "resolve-path", "restart-computer", "restart-service",
    "select-string", "set-ciminstance", "set-content", "set-executionpolicy", "set-item", "set-itemproperty", "set-location",
    "set-service", "set-strictmode", "set-variable", "set-wmiinstance", "split-path", "start-job", "start-process", "start-service",
    "stop-computer", "stop-process", "stop-service", "tee-object", "test-connection", "test-path", "test-wsman", "update-typedata",
    "wait-event", "wait-process", "write-debug",
}  # fmt: skip


def is_program(name: str) -> bool:
    """Whether a command, in lower case, is a program."""
    base = name.rpartition("\\")[2].removesuffix(".exe").removesuffix(".com")
    return base in ("powershell", "cmd", "chcp", "whoami", "hostname") or name.endswith((".exe", ".com"))

# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can be wrong, each with a stable code, a message and a remedy. Private to this collection.

The codes are part of the interface: playbooks test them. Messages and remedies may be improved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from . import hresults
from .words import say


class Kind(str, Enum):
    """What a problem says of a machine: verdicts go by it, never by lists of codes."""

    WRONG = "wrong"
    #: It could not be told whether something is wrong.
    UNKNOWN = "unknown"
    #: AVMA is not for this machine.
    NOT_APPLICABLE = "not_applicable"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Definition:
    """A problem in general: its texts name their facts in braces, and what to type by the names of ``words.WORDS``.

    :ivar remedy: What to do, unless who finds the problem knows better; ``{remedy}`` if only that one, or the HRESULT, can tell.
    """

    message: str
    remedy: str
    kind: Kind = Kind.WRONG


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what to do about it."""

    code: str
    message: str
    remedy: str
    hresult: int | None = None

    @property
    def kind(self) -> Kind:
        """What it says of the machine."""
        return kind_of(self.code)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"

    def to_dict(self) -> dict[str, str]:
        """As the modules return it (RV(problems))."""
        result = {"code": self.code, "message": self.message, "remedy": self.remedy}
        if self.hresult is not None:
            result["hresult"] = hresults.format_hresult(self.hresult)
        return result


#: The definition of each problem.
#: The four errors of Windows Admin Center (vm-activate, "Troubleshoot AVMA") are key_rejected, key_release_mismatch, node_down
#: and update_missing.
PROBLEMS: Mapping[str, Definition] = {
    "evaluation_edition": Definition(
        "{name} is an evaluation edition, and AVMA is for these neither as guests nor as hosts.",
        "Convert it first: {convert}, or DISM /Online /Set-Edition:{target} /ProductKey:<key> /AcceptEula (/Get-TargetEditions tells what "
        "it can become) and a reboot; a domain controller cannot.",
    ),
    "domain_controller": Definition(
        "The machine is a domain controller, and {system}: the edition of a domain controller cannot be converted.",
        "Demote it first, or make a domain controller of a machine that is no evaluation edition.",
    ),
    "reboot_pending": Definition(
        "Windows waits for a reboot, and its edition must not be converted before that.",
        "Reboot the machine, then run again.",
    ),
    "installation_type_fixed": Definition(
        "The machine is {system} with {has}, and a conversion of its edition does not change that.",
        "Leave that out of the edition, or install the machine anew.",
    ),
    "no_target_edition": Definition(
        "{system} cannot be converted: of its kind of installation, DISM offers no edition (offered: {offered}).",
        "Install the machine anew, from media that are not for evaluation.",
    ),
    "edition_not_offered": Definition(
        "{system} cannot be converted to {wanted}: DISM offers {offered}.",
        "If you have the licence for it and want that, say so ({guest_edition}: {choices}); else install the machine anew.",
    ),
    "dism_failed": Definition(
        "DISM {detail}.",
        "See C:\\Windows\\Logs\\DISM\\dism.log on the machine, then run again.",
    ),
    "restart_failed": Definition(
        "The machine was not restarted: {detail}.",
        "Restart it, then run again: its new edition comes into force with that.",
    ),
    "edition_unchanged": Definition(
        "Windows has restarted, waits for no other restart, and still is {system}: its conversion to {edition_id} did not take effect.",
        "See C:\\Windows\\Logs\\CBS\\CBS.log and C:\\Windows\\Logs\\DISM\\dism.log on the machine for the reason, then run again.",
    ),
    "edition_timed_out": Definition(
        "After {timeout} s {phase}.",
        "Run again, with a longer {convert_timeout}: it goes on from there.",
    ),
    "no_avma_key_for_release": Definition(
        "No AVMA key is documented for {name}.",
        "Use a release that has one ({documented}), or, if Microsoft has published one since, pass it in {key_overrides}.",
        kind=Kind.NOT_APPLICABLE,
    ),
    "no_avma_key_for_edition": Definition(
        "No AVMA key is documented for {name}{edition} (SKU {sku}).",
        "AVMA is for the editions {documented} of Windows Server: use one of these, or another way to activate this machine.",
        kind=Kind.NOT_APPLICABLE,
    ),
    "not_a_hyper_v_guest": Definition(
        "The machine is not a virtual machine on Hyper-V{detail}.",
        "{wrong_group}AVMA is for virtual machines on Hyper-V and Azure Local: elsewhere (Azure, other hypervisors) use KMS or a key of "
        "its own.",
    ),
    "key_release_mismatch": Definition(
        "A key does not match: {mismatch}.",
        "Leave {product_key} out to get the right key, or correct {release_and_edition}.",
    ),
    "kms_client_key": Definition(
        "The key ending in {last_five} is the KMS client key of {key}: no host can activate it.",
        "Leave {product_key} out to get the AVMA key.",
    ),
    "system_mismatch": Definition(
        "The machine is {system}, not {expected} as was said of it.",
        "Correct {release_and_edition}, or leave them out to have them detected.",
    ),
    "key_rejected": Definition(
        "Windows rejected the key ending in {last_five}: {explanation}.",
        "{remedy}",
    ),
    "key_install_timed_out": Definition(
        "In {timeout} s Windows did not answer whether it takes the key ending in {last_five}, and it still holds {held}.",
        "It may take it yet: run again, with a longer {guest_timeout} if the machine is slow.",
    ),
    "licensed_by_other_key": Definition(
        "Windows is activated with the key ending in {last_five}, {kind}: it works, and cannot be put back from here.",
        "To replace it, say {guest_replace}; to keep it, leave this machine out.",
    ),
    "activation_not_renewable": Definition(
        "Windows is activated with the key ending in {last_five}, {kind}, which could not be put back if no KMS host answers: {reason}.",
        "See that its host activates it, or give that activation up: {guest_replace}. Where a KMS host or Active Directory is there only "
        "later, say {no_activation}.",
    ),
    "activation_would_be_lost": Definition(
        "Windows is activated with the key ending in {last_five}, {kind}. The AVMA key would end that, and is not to be activated now.",
        "Leave {no_activation} out: then the guest is activated, or gets its key back. To install the AVMA key all the same, say "
        "{guest_replace}.",
    ),
    "kms_host": Definition(
        "The key ending in {last_five} makes this machine a KMS host: without it, every machine that it activates loses its licence.",
        "Leave this machine out, or its key as it is. To give its KMS service up, remove its KMS role and key first.",
    ),
    "unknown_product_key": Definition(
        "Whether the key ending in {last_five} is an AVMA key is not known before it is installed, and Windows is activated with the key "
        "ending in {current}.",
        "Leave {guest_product_key} and {key_overrides} out to use the documented AVMA key; a MAK or a host's key must not be given to a "
        "guest. If Microsoft documents it as the AVMA key of this guest, say {guest_replace}.",
    ),
    "kms_not_activated": Definition(
        "With its KMS client key, Windows was not activated within {timeout} s ({detail}).",
        "See that a KMS host is found (DNS, _vlmcs._tcp) and counts five servers, or that Active Directory activates it; where that comes "
        "later only, say {no_activation}.",
    ),
    "not_an_avma_key": Definition(
        "The key ending in {last_five} is {kind}, no AVMA key: it was not activated, and no host can activate it.",
        "Leave {guest_product_key} and {key_overrides} out to use the documented AVMA key.",
    ),
    "former_key_put_back": Definition(
        "The former key ending in {last_five}, {kind}, is installed again{as_which}, and Windows is activated with it.",
        "Put the other problem right, then run again.",
    ),
    "former_key_not_put_back": Definition(
        "The former key ending in {last_five}, {kind}, with which Windows was activated, could not be put back: {detail}.",
        "Install it again (slmgr.vbs /ipk), then run slmgr.vbs /ato.",
    ),
    "former_key_gone": Definition(
        "The former key ending in {last_five}, {kind}, is no longer on the machine.",
        "To go back, enter it again (slmgr.vbs /ipk).",
    ),
    "host_unknown": Definition(
        "It is not known whether the host can activate this guest: {reasons}.",
        "{see_host} its host.",
        kind=Kind.UNKNOWN,
    ),
    "vm_mismatch": Definition(
        "What {guest_vm} tells is of the VM {vm}, and this guest is the VM {guest}.",
        "Correct {guest_vm}, or the address of the guest: both must be of the same VM.",
    ),
    "key_not_taken": Definition(
        "Windows gave no error for the key ending in {last_five}, but its licence does not hold it.",
        "See the Application event log of the machine (source Microsoft-Windows-Security-SPP), then run again.",
    ),
    "access_denied": Definition(
        "Windows denied access: {explanation}.",
        "{remedy}",
    ),
    "host_not_licensed": Definition(
        "The host{host} has no licence that activates guests: {explanation}.",
        "{remedy}",
    ),
    "host_release_too_old": Definition(
        "The host{host} that runs this guest cannot activate it: {explanation}.",
        "{remedy}",
    ),
    "activation_not_bound": Definition(
        "No host has activated this guest: {explanation}.",
        "{remedy}",
    ),
    "activation_throttled": Definition(
        "The host{host} did not come round to this guest in {timeout} s: {explanation}.",
        "{remedy}",
    ),
    "activation_failed": Definition(
        "The activation failed: {explanation}.",
        "{remedy}",
    ),
    "activation_timed_out": Definition(
        "After {timeout} s the guest is not activated by a host (status: {status}).",
        "Check that its host is activated and that Data Exchange is on for the VM; run again, with a longer {guest_timeout} if it is slow.",
    ),
    "not_activated": Definition(
        "Windows has its AVMA key, but is not activated by a host (status: {status}{explanation}).",
        "{run_guest_key}; if that fails, it tells why.",
    ),
    "not_avma": Definition(
        "Windows is not activated by its host: its key ending in {last_five} is of channel {channel} (status: {status}).",
        "{run_guest_key} to install the AVMA key.",
    ),
    "other_avma_key": Definition(
        "The AVMA key ending in {last_five} is installed{owner}, and the one of this release and edition ends in {expected}.",
        "{run_guest_key} to install the right one.",
    ),
    "no_product_key": Definition(
        "No product key of Windows is installed.",
        "{run_guest_key} to install the AVMA key.",
    ),
    "unexpected_host": Definition(
        "The guest was activated by {host}, which is not one of {expected}.",
        "{anew}Move the guest to one of these hosts and run again, or correct {expected_hosts}.",
    ),
    "unreachable": Definition(
        "The machine was not reached: {detail}.",
        "Correct that and run again.",
        kind=Kind.UNKNOWN,
    ),
    "not_read": Definition(
        "The machine could not be read: {detail}.",
        "Correct that and run again.",
        kind=Kind.UNKNOWN,
    ),
    "kvp_not_removed": Definition(
        "The guest's KVP values are still there after they were removed: {names}.",
        "Find out which program of the guest writes them again, and stop it.",
    ),
    "answer_file_without_key": Definition(
        "The answer file has no product key at {place}.",
        "{run_unattend_key}.",
    ),
    "answer_file_not_a_key": Definition(
        "The answer file has {what} at {place}: with that, Windows Setup fails.",
        "{run_unattend_key}, or put a whole product key there.",
    ),
    "image_key_not_a_key": Definition(
        "The answer file has {what} at {place}: with that, Windows Setup fails.",
        "{run_unattend_key} with {select_image}, or put a whole product key there, or none.",
    ),
    "answer_file_misplaced_key": Definition(
        "The answer file has text where elements belong, or elements where text does, at {place}: Windows Setup does not accept that.",
        "Correct it by hand: <ProductKey><Key>…</Key></ProductKey> in UserData, <ProductKey>…</ProductKey> in Shell-Setup.",
    ),
    "answer_file_other_key": Definition(
        "The key ending in {last_five} in the answer file is not the AVMA key of {system}.",
        "{run_unattend_key}, or correct {release_and_edition}.",
    ),
    "image_key_mismatch": Definition(
        "The key ending in {last_five}, by which the answer file chooses the image, is that of {key}, not of {system}.",
        "{run_unattend_key} with {select_image}, or correct {release_and_edition}.",
    ),
    "image_key_is_avma": Definition(
        "The answer file chooses the image by the AVMA key ending in {last_five}, which Windows Setup is known to refuse there.",
        "{run_unattend_key} with {select_image}: it puts the KMS client key there, which only chooses the image.",
    ),
    "image_name_mismatch": Definition(
        "The answer file installs the image '{image}', which is {named}, and not {system}.",
        "Correct /IMAGE/NAME in the answer file, or {release_and_edition}.",
    ),
    "no_kms_client_key": Definition(
        "No KMS client key is documented for {name}.",
        "Activate this machine in another way, such as by a key of its own.",
    ),
    "invalid_answer_file": Definition(
        "The answer file {path} cannot be used: {detail}.",
        "Correct that and run again.",
    ),
    "report_not_written": Definition(
        "The report cannot be written to {path}: {detail}.",
        "Correct that, or name another folder in {dest}, and run again.",
    ),
    "invalid_report": Definition(
        "The file {path} is no report that can be merged: {detail}.",
        "Name in {merge} files avma-report.json that this version of the collection wrote.",
    ),
    "invalid_argument": Definition(
        "The value of {option} cannot be used: {detail}.",
        "Correct {option}.",
    ),
    "invalid_answer": Definition(
        "The machine answered something that cannot be understood: {detail}.",
        "Check that no proxy or other service answers in its place, then run again.",
    ),
    "process_failed": Definition(
        "A program could not be run on the machine: {detail}.",
        "Check that its user may open a WinRM shell, or log on over ssh, and start it, then run again.",
    ),
    "ssh_host_key_untrusted": Definition(
        "The host key of the ssh server {address} is not trusted: known_hosts has another one, or none.",
        "Find out why, since another machine may have taken its place. If it was installed anew, remove the old key with "
        "ssh-keygen -R '{address}'. Compare the fingerprint of the new one with that on the machine, and accept it in a login with ssh.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_silent": Definition(
        "Windows PowerShell on {machine} gave no answer (exit code {exit_code}).",
        "Check that it is Windows with Windows PowerShell 5.1 and, over ssh, that its server runs commands for this user: "
        "DefaultShell is cmd.exe or powershell.exe, ansible_shell_type says which, and there is no ForceCommand.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_refuses": Definition(
        "Windows PowerShell on {machine} does not run what is needed (language mode {mode}): {detail}",
        "Have its policy allow the module CimCmdlets, which Windows Server 2016 needs an update for in Constrained Language Mode, "
        "or reach the machine by winrm or psrp.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_is_32_bit": Definition(
        "The PowerShell that answered on {machine} is a 32-bit process, which sees another registry.",
        "Use the OpenSSH server that comes with Windows, or another 64-bit one.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_direct_incomplete": Definition(
        "The machine is to be reached through its Hyper-V host, but {missing} is not given.",
        "Set it in the inventory: see the connection plugin hyperv.avma.powershell_direct.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_direct_user": Definition(
        "The user {user} has the form user@domain, which PowerShell Direct takes for a local account.",
        "Write DOMAIN\\user in ansible_user or, better, use a local account of the guest.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_unlisted": Definition(
        "The guest is to be reached through the Hyper-V host {host}, which the inventory does not have.",
        "Add that host to the inventory, with its connection variables, or correct avma_host or ansible_powershell_direct_host.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_unsuitable": Definition(
        "The Hyper-V host {host}, through which the guest is to be reached, is reached by the connection plugin {plugin}.",
        "Reach the host by winrm, psrp or ssh.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_unreachable": Definition(
        "The Hyper-V host {host}, through which the guest is to be reached, was not reached: {detail}.",
        "Correct how the host is reached, then run again: nothing was asked of the guest.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_failed": Definition(
        "The Hyper-V host {host} could not be asked for its guest: {detail}.",
        "Correct its connection variables. Its user must be able to open a WinRM shell, or to log on over ssh, and to run powershell.exe.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_unencrypted": Definition(
        "The connection to the Hyper-V host {host} is not encrypted, and the guest's credentials must not be sent over it.",
        "Reach the host over ssh, over HTTPS, or over HTTP with a transport that encrypts messages: Kerberos, NTLM or CredSSP, not Basic.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_access_denied": Definition(
        "The Hyper-V host {host} does not let its user see virtual machines.",
        "Make that user a member of Administrators or Hyper-V Administrators there.",
        kind=Kind.UNKNOWN,
    ),
    "vm_host_without_hyperv": Definition(
        "{host}, through which the guest is to be reached, has no Hyper-V.",
        "Correct avma_host or ansible_powershell_direct_host of the guest.",
        kind=Kind.UNKNOWN,
    ),
    "hyperv_module_missing": Definition(
        "The Hyper-V host {host} has no Hyper-V module for Windows PowerShell, which PowerShell Direct needs.",
        "Run there: Install-WindowsFeature -Name Hyper-V-PowerShell.",
        kind=Kind.UNKNOWN,
    ),
    "host_too_old_for_powershell_direct": Definition(
        "The Hyper-V host {host} is older than Windows Server 2016 and has no PowerShell Direct.",
        "Reach its guests by winrm, psrp or ssh.",
        kind=Kind.UNKNOWN,
    ),
    "guest_too_old_for_powershell_direct": Definition(
        "The guest of the virtual machine {vm} is older than Windows Server 2016 and has no PowerShell Direct.",
        "Reach it by winrm, psrp or ssh.",
        kind=Kind.UNKNOWN,
    ),
    "vm_not_on_host": Definition(
        "The virtual machine {vm} is neither on the Hyper-V host {host} nor on another node of its cluster that was reached, or their "
        "user must not see it.",
        "Correct avma_host or the VM's name or id, and make the hosts' user a member of Hyper-V Administrators.",
        kind=Kind.UNKNOWN,
    ),
    "vm_ambiguous": Definition(
        "The Hyper-V host {host} has more than one virtual machine named {vm}: {ids}.",
        "Name the one that is meant by its id: avma_vm_id or ansible_powershell_direct_vm_id.",
        kind=Kind.UNKNOWN,
    ),
    "vm_not_running": Definition(
        "The virtual machine {vm} on {host} is not running (state: {state}).",
        "Start or resume it, then run again.",
        kind=Kind.UNKNOWN,
    ),
    "guest_credentials_refused": Definition(
        "The guest of the virtual machine {vm} on {host} refused the user {user} and its password.",
        "Correct ansible_user and ansible_password. The account must be enabled in the guest and its setup must be over. It was not tried "
        "again, so that no account is locked. If they are right, install the same updates on host and guest (CVE-2025-49734: KB5065474, "
        "KB5066360).",
        kind=Kind.UNKNOWN,
    ),
    "guest_not_ready": Definition(
        "The guest of the virtual machine {vm} on {host} took no PowerShell Direct session, or lost it.",
        "Wait until it has booted. If that does not help: its service vmicvmsession must not be disabled, the virtual machine not be "
        "shielded, and host and guest need the same updates (CVE-2025-49734: KB5065474, KB5066360).",
        kind=Kind.UNKNOWN,
    ),
    "guest_silent": Definition(
        "The guest of the virtual machine {vm} on {host} gave no answer within {seconds} s.",
        "Wait until it has booted and its setup is over, or give it longer with ansible_powershell_direct_timeout.",
        kind=Kind.UNKNOWN,
    ),
    "powershell_direct_failed": Definition(
        "PowerShell Direct to the virtual machine {vm} on {host} failed: {detail}.",
        "See whether Invoke-Command -VMId with -Credential works on the host itself.",
        kind=Kind.UNKNOWN,
    ),
    "wmi_error": Definition(
        "WMI answered with a fault: {reason}{explanation}.",
        "{remedy}",
    ),
    "no_avma_on_host_release": Definition(
        "AVMA is not documented for hosts that run {name}.",
        "Use a host that runs Windows Server Datacenter {documented}, or Azure Local.",
    ),
    "no_host_key": Definition(
        "The host is not activated, and no product key is given for it.",
        "Give it a key of its own in {host_product_key}; on Azure Local a Windows Server subscription will do too.",
    ),
    "not_a_host_key": Definition(
        "The key ending in {last_five} is the public {kind} of {key}: it is no host's own.",
        "Give the host a key of its own; one that is a KMS client is activated without: leave {host_product_key} out.",
    ),
    "other_host_key": Definition(
        "The host works with another key, ending in {current}; to replace it may burn an activation for good.",
        "Leave {host_product_key} out to keep it, or say {host_replace}.",
    ),
    "host_key_changed": Definition(
        "The host does not hold the key ending in {last_five} any more, but {held}: someone else installs keys on it at the same time.",
        "Find out which other tool or person gives the host a key, then run again.",
    ),
    "host_key_install_timed_out": Definition(
        "In {timeout} s Windows did not answer whether it takes the key ending in {last_five}, and it still holds {held}.",
        "It may take it yet: run again, with a longer {host_timeout} if the machine is slow.",
    ),
    "former_host_key_gone": Definition(
        "The former key ending in {last_five}, {kind}, worked and is gone: until it is entered again, which may cost "
        "an activation, or the new key "
        "is activated, the host activates no guests.",
        "Put the other problem right and run again, or {again}.",
    ),
    "host_in_azure": Definition(
        "The host {host} is a virtual machine of Azure or Azure Stack Hub: hosts in Azure activate no guests, however "
        "they are licensed, and of "
        "Azure Stack Hub nothing is known.",
        "Use a host outside of Azure; there, activate the guests by KMS or with keys of their own. To give it a key "
        "nevertheless, say {host_replace}.",
        kind=Kind.UNKNOWN,
    ),
    "host_key_asked_for": Definition(
        "An earlier run asked the host to set the key ending in {last_five}, and the host does not tell what came of "
        "it: it was not asked again.",
        r"See what it returned (avma.result), and prove it by a guest. If the key is not set, delete the value ProductKeyAskedFor of "
        r"HKLM\SOFTWARE\hyperv.avma on the host and run again.",
        kind=Kind.UNKNOWN,
    ),
    "host_key_unknown": Definition(
        "AVMA may be set up on the host already, and it does not tell whether with the key ending in {last_five}: nothing was written.",
        "See what it returned (avma.result); if it does need the key, run once with {host_replace}.",
        kind=Kind.UNKNOWN,
    ),
    "host_key_unproved": Definition(
        "The host took the key ending in {last_five} without an error, but does not tell which key it uses.",
        "See what it returned (avma.result), and prove it by a guest of this host, with {guest_key}.",
        kind=Kind.UNKNOWN,
    ),
    "host_activation_timed_out": Definition(
        "After {timeout} s the host is not activated (status: {status}).",
        "Run again: the key is installed, and only the activation is asked for again.",
    ),
    "duplicate_host_key": Definition(
        "The key ending in {last_five} is meant for more than one host: {hosts}.",
        "Give each host a key of its own, or declare a volume key as one ({volume_key}).",
    ),
    "unencrypted_connection": Definition(
        "The connection is not encrypted, and a product key must not be sent over it.",
        "Use HTTPS, or over HTTP a transport that encrypts messages: Kerberos, NTLM or CredSSP, not Basic.",
    ),
    "update_missing": Definition(
        "The host lacks the update that brings AVMA to Azure Local (the module ServerAVMAManager).",
        "Install the latest update on the host, then run again.",
    ),
    "avma_unreadable": Definition(
        "The host does not tell how AVMA is set up: {detail}.",
        "Run Get-VMAutomaticActivation on the host; if it fails there too, install the latest update.",
        kind=Kind.UNKNOWN,
    ),
    "cluster_unreadable": Definition(
        "The host does not tell of its cluster, though its cluster service runs: {detail}.",
        "See that its cluster is in order (Get-Cluster, Get-ClusterNode on the host), then run again.",
        kind=Kind.UNKNOWN,
    ),
    "data_exchange_disabled": Definition(
        "The Data Exchange integration service of the VM {vm} is off, and AVMA needs it.",
        "Turn it on with {vm_data_exchange}.",
    ),
    "guest_service_interface_disabled": Definition(
        "The Guest Service Interface of the VM {vm} is off, and an Azure Edition guest on Azure Local needs it.",
        "Turn it on with {vm_data_exchange} (service: guest_service_interface); Windows Server 2022 also needs KB5036909 or newer.",
    ),
    "guest_service_interface_not_switched": Definition(
        "The Guest Service Interface of the VM {vm} could not be switched: {detail}.",
        "See the event log Hyper-V-VMMS of the host, then run again.",
    ),
    "data_exchange_not_switched": Definition(
        "Data Exchange of the VM {vm} could not be switched: {detail}.",
        "See the event log Hyper-V-VMMS of the host, then run again.",
    ),
    "guest_unknown": Definition(
        "The VM {vm} tells nothing of its guest over Data Exchange (it is {state}).",
        "Start it; if it runs Windows, see that its service vmickvpexchange runs.",
        kind=Kind.UNKNOWN,
    ),
    "not_windows": Definition(
        "The guest of the VM {vm} is {system}.",
        "AVMA is for Windows Server guests: leave it out.",
        kind=Kind.NOT_APPLICABLE,
    ),
    "vm_not_found": Definition(
        "The host has no VM {names}. It has {there}.",
        "Correct {vm_name}, or ask the host that the VM is on.",
    ),
    "azure_edition_needs_azure_local": Definition(
        "The guest is {guest}, which runs on Azure Local only, and the host {host} is none.",
        "Move the VM to Azure Local, or convert the guest to Datacenter.",
    ),
    "host_avma_unknown": Definition(
        "It cannot be told which releases the host {host} activates.",
        "{see_host} its AVMA, and find out which key was set on it.",
        kind=Kind.UNKNOWN,
    ),
    "host_unsuitable": Definition(
        "The host {host} activates no guests: {reason}",
        "{remedy}",
    ),
    "node_down": Definition(
        "The node {node} of the cluster {cluster} is down.",
        "Start it, or, if it is gone for good, evict it from the cluster; then run again.",
    ),
    "node_not_in_play": Definition(
        "Nodes of the cluster {cluster} are not among the hosts of this run: {nodes}.",
        "Add them: every node that may own a guest must be able to activate it.",
    ),
    "mixed_os_releases": Definition(
        "The nodes of the cluster {cluster} run different releases: {releases}.",
        "Bring all nodes to one release; until then, a guest that is newer than a node loses its activation there.",
    ),
    "host_not_datacenter": Definition(
        "The host {host} has {system}, and AVMA needs a host with Windows Server Datacenter, or Azure Local.",
        "Move the virtual machines to such a host, or reinstall this one.",
    ),
    "hyperv_role_missing": Definition(
        "The machine does not have the Hyper-V role.",
        "Is it a guest, and in the wrong group? Then it belongs to avma_guests, not to avma_hosts. If it is to be a Hyper-V host, install "
        "the role.",
    ),
    "failover_gap": Definition(
        "On {node}, which may own it, the guest would lose its activation: {reason}",
        "{remedy}",
    ),
    "activation_too_old": Definition(
        "The guest was last activated by {host} at {time}, which is before {since}.",
        "Look at the events of guest and host: AVMA renews by itself.",
    ),
    "not_in_inventory": Definition(
        "The inventory has no host or group {name}.",
        "{hint}The groups that there are: {groups}.",
    ),
    "not_in_play": Definition(
        "Not among the hosts of this play: {names}.",
        "Correct {host_targets}, the play, or --limit. The hosts of the play are: {hosts}.",
    ),
    "no_machines": Definition(
        "There is no machine to look at: {detail}.",
        "Correct the inventory, its groups, or --limit. The groups that there are: {groups}.",
    ),
    "activation_implausible": Definition(
        "The guest says that {host} activated it, and that is none by AVMA: {detail}.",
        "Look at the events 12310 of that host. If it did not activate the guest, its licence was tampered with. {run_guest_key}.",
    ),
    "activation_unwitnessed": Definition(
        "The guest says that {host} activated it, and no Hyper-V host is known that could have.",
        "Read the hosts in the same run, or name those that may in {expected_hosts}.",
        kind=Kind.UNKNOWN,
    ),
    "ambiguous_name": Definition(
        "{name} can be {candidates}: the name does not tell which.",
        "Name machines by their full DNS names in the inventory, and turn Data Exchange on, by which guests tell which VM they are.",
        kind=Kind.UNKNOWN,
    ),
    "same_host": Definition(
        "The inventory names {names} answer as one host, {fqdn}: one machine is listed twice, or two have one name.",
        "Leave one of them out, or correct their ansible_host.",
    ),
    "other_vm": Definition(
        "{machine} answered as the VM {vm} ({id}), {instead}.",
        "Correct its ansible_host: a copy of a VM tells the name and the addresses of the first.",
    ),
    "duplicate_vm_id": Definition(
        "The VM {vm} ({id}) runs on more than one host: {hosts}.",
        "Turn off the one that should not run, or import it anew with an id of its own; if it was moving just now, run again.",
    ),
    "duplicate_fqdn": Definition(
        "The VMs {vms} tell the same name, {fqdn}: a connection to it reaches one of them.",
        "Give the copy a name of its own, or turn it off.",
        kind=Kind.UNKNOWN,
    ),
    "vm_copy": Definition(
        "The VM {vm} is on {host} too: this is a copy of it, or it is moving.",
        "If nothing is moving, remove the copy that was left behind.",
        kind=Kind.NOT_APPLICABLE,
    ),
    "vm_replica": Definition(
        "The VM {vm} is a {what} of Hyper-V Replica.",
        "Judge the primary VM; after a failover, this one.",
        kind=Kind.NOT_APPLICABLE,
    ),
    "nothing_read": Definition(
        "No host and no guest was looked at.",
        "Check the names of the groups, and what --limit and --tags leave.",
    ),
    "nothing_proved": Definition(
        "No guest was looked at: {count} VMs are known from their hosts only.",
        "Put the guests into the group of guests, or check its name and --limit.",
    ),
    "no_activation_component": Definition(
        "The guest has no Microsoft Hyper-V Activation Component device.",
        "Install the integration services of the guest, and check its device manager.",
    ),
}


def kind_of(code: str) -> Kind:
    """What a problem says of a machine. One that this version does not know, as in an older report, counts as wrong."""
    definition = PROBLEMS.get(code)
    return definition.kind if definition else Kind.WRONG


def problem(code: str, hresult: int | None = None, **facts: object) -> Problem:
    """A problem of the table.

    :param hresult: What Windows said; its explanation and remedy are facts too, ``explanation`` and ``remedy``.
    :param facts: The facts that the message and the remedy name. ``remedy`` takes the place of the usual one.
    """
    definition = PROBLEMS[code]
    remedy = "{remedy}" if facts.get("remedy") else definition.remedy
    if hresult is not None:
        explained = hresults.explain(hresult)
        facts = {"explanation": explained, "remedy": explained.remedy, **facts}
    return Problem(code, _fill(definition.message, facts), _fill(remedy, facts), hresult)


def _fill(template: str, facts: Mapping[str, object]) -> str:
    """A text with its facts, on one line that ends with a full stop, whatever a fact that others wrote ends with."""
    text = re.sub(r"\s*[\r\n]\s*", " ", say(template).format(**facts).strip())
    text = text if text.endswith(("?", "!")) else f"{text.rstrip('. ')}."
    return re.sub(r"([.?!])\.(?= |$)", r"\1", text)

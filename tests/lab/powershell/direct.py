# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Invoke-Command, into virtual machines of the host by PowerShell Direct, and jobs (facts/powershell.md 12, 60 to 73)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from lab.powershell.binding import MISSING, Bound, Cmdlet, Definition, Emit, Parameter, defined, missing_mandatory
from lab.powershell.cim_values import CimInstance
from lab.powershell.environment import Environment, HostText
from lab.powershell.errors import ConnectionLost, Hang, PowerShellError, Unsupported
from lab.powershell.interpreter import Session
from lab.powershell.types import as_array, text, type_names
from lab.powershell.values import (
    Array,
    Credential,
    DateTime,
    EnumValue,
    Guid,
    Hashtable,
    NotedString,
    PSObject,
    ScriptBlockValue,
    SecureString,
    TimeSpan,
    Version,
)

_INVOKE = "Microsoft.PowerShell.Commands.InvokeCommandCommand"
_REMOTING = "System.Management.Automation.Remoting."


class VirtualMachine(Protocol):
    """A virtual machine as its host's PowerShell sees it."""

    @property
    def vm_id(self) -> str:
        """Its GUID."""
        ...

    @property
    def vm_name(self) -> str:
        """The name that Hyper-V shows."""
        ...

    @property
    def runs(self) -> bool:
        """Whether its state is Running."""
        ...

    def enter(self, user: str, password: str) -> Environment:
        """Log in by PowerShell Direct. Raises ``PowerShellError`` as ``refused`` or ``broken`` makes it, or ``Hang``."""
        ...

    def die(self) -> None:
        """Lose power."""
        ...


def refused(vm_name: str) -> PowerShellError:
    """The guest does not take the credentials (facts 61)."""
    return _broken(vm_name, "The credential is invalid.", "PSDirectException")


def broken(vm_name: str) -> PowerShellError:
    """Nobody answers in the guest: it has not booted, or has no PowerShell Direct (facts 62)."""
    message = "An error has occurred which Windows PowerShell cannot handle. A remote session might have ended."
    return _broken(vm_name, message, "PSRemotingDataStructureException")


def _lost(vm_name: str) -> PowerShellError:
    message = (
        "The background process reported an error with the following message: "
        '"The Hyper-V socket target process has ended.".'
    )
    return _broken(vm_name, message, "PSRemotingTransportException", "2100,PSSessionStateBroken")


def _broken(vm_name: str, message: str, exception: str, identifier: str = "PSSessionStateBroken") -> PowerShellError:
    return PowerShellError(
        message, identifier, "OpenError", "continue", exception_type=_REMOTING + exception, target=vm_name
    )


@dataclass
class _Job:
    """A job: what it gave, and when it ends; never if ``end`` is None."""

    number: int
    vm_name: str
    end: datetime | None
    output: list[Any] = field(default_factory=list)
    errors: list[PowerShellError] = field(default_factory=list)
    state: str = "Running"

    def shown(self) -> PSObject:
        """The object for a script, which keeps this job."""
        return PSObject(
            "System.Management.Automation.PSRemotingJob",
            {
                "Id": self.number,
                "Name": f"Job{self.number}",
                "State": EnumValue(self.state, 1, "System.Management.Automation.JobState"),
                "HasMoreData": True,
                "Location": self.vm_name,
                "_job": self,
            },
            text="System.Management.Automation.PSRemotingJob",
        )

    def settle(self, now: datetime) -> None:
        """Note that it has ended, if it has."""
        if self.state == "Running" and self.end is not None and self.end <= now:
            self.state = "Failed" if self.errors else "Completed"


def _job_of(value: Any) -> _Job:
    job = value.properties.get("_job") if isinstance(value, PSObject) else None
    if not isinstance(job, _Job):
        raise Unsupported("a job cmdlet with something that is no job")
    return job


class InvokeCommand(Cmdlet):
    """Invoke-Command. ``machines`` are the host's; None when it has no Hyper-V module."""

    name, command_type = "Invoke-Command", _INVOKE
    parameters = (
        Parameter("ScriptBlock", "scriptblock", 1, mandatory=True, aliases=("command",)),
        Parameter("VMId", "guid[]", aliases=("vmguid",)),
        Parameter("VMName", "string[]"),
        Parameter("Credential"),
        Parameter("ArgumentList", aliases=("args",)),
        Parameter("AsJob", "switch"),
        Parameter("ThrottleLimit", "int"),
    )
    machines: Callable[[], Sequence[VirtualMachine]] | None

    def end(self) -> None:
        block = self.bound["ScriptBlock"]
        if not isinstance(block, ScriptBlockValue):
            raise Unsupported("Invoke-Command with a script block that is none")
        if "VMId" not in self.bound and "VMName" not in self.bound:
            raise Unsupported("Invoke-Command but into a virtual machine")
        credential = self.bound["Credential"]
        if not isinstance(credential, Credential):
            raise missing_mandatory(_INVOKE, "Credential")
        if self.machines is None:
            raise self.signed(
                PowerShellError(
                    "The Hyper-V module for Windows PowerShell is not available on this computer.",
                    "HyperVModuleNotAvailable",
                    "NotInstalled",
                    exception_type="System.InvalidOperationException",
                )
            )
        found = [machine for machine in map(self._find, self._wanted()) if machine is not None]
        jobs = [self._run(machine, credential, block) for machine in found]
        for job in jobs:
            if self.bound.is_set("AsJob"):
                self.write(job.shown())
            else:
                _wait(self.session, job, None)
                _receive(self, job)

    def _wanted(self) -> list[tuple[str, str]]:
        """What is asked for, with the identifier of the error that it is not there."""
        by_id = [(text(item), "InvalidVMIdNotSingle") for item in as_array(self.bound["VMId"])]
        return by_id + [(text(item), "InvalidVMNameNotSingle") for item in as_array(self.bound["VMName"])]

    def _find(self, wanted: tuple[str, str]) -> VirtualMachine | None:
        name, identifier = wanted
        machines = self.machines() if self.machines is not None else ()
        by_id = identifier == "InvalidVMIdNotSingle"
        found = [one for one in machines if (one.vm_id if by_id else one.vm_name).lower() == name.lower()]
        if len(found) != 1:
            message = f"The input VMId {name} does not resolve to a single virtual machine."
            self.write_error(_argument_error(message, identifier))
            return None
        if not found[0].runs:
            message = f"The virtual machine {found[0].vm_name} is not in running state."
            self.write_error(_argument_error(message, "InvalidVMState"))
            return None
        return found[0]

    def _run(self, machine: VirtualMachine, credential: Credential, block: ScriptBlockValue) -> _Job:
        """Run the block in a guest. It runs at once in the model; how long it takes is in the job's end."""
        self.session.jobs += 1
        job = _Job(self.session.jobs, machine.vm_name, self.session.now)
        try:
            environment = machine.enter(credential.user, credential.password.text)
        except PowerShellError as error:
            job.errors.append(error)
            return job
        except Hang:
            job.end = None
            return job
        environment.log_script(block.block.text)
        using = {name: _carried(value) for name, value in self.session.using_values(block.block).items()}
        remote = Session(environment, using)
        arguments = [_carried(item) for item in as_array(self.bound["ArgumentList"])]
        try:
            outcome = remote.run_block(block.block, arguments=arguments)
        except ConnectionLost as lost:
            if lost.dies:
                machine.die()
            job.errors.append(_lost(machine.vm_name))
            return job
        if outcome.elapsed == float("inf"):
            job.end = None
            return job
        job.end = self.session.now + timedelta(seconds=outcome.elapsed)
        notes = {
            "PSComputerName": machine.vm_name,
            "RunspaceId": Guid(str(uuid.uuid4())),
            "PSShowComputerName": True,
        }
        for item in outcome.output:
            if isinstance(item, HostText):
                self.session.print(item)
            else:
                job.output.append(_noted(_carried(item), notes))
        job.errors += [_remote_error(error) for error in outcome.errors]
        return job


def _argument_error(message: str, identifier: str) -> PowerShellError:
    return PowerShellError(
        message, identifier, "InvalidArgument", "continue", exception_type="System.ArgumentException"
    )


def _remote_error(error: PowerShellError) -> PowerShellError:
    """An error as it comes back: a RemoteException, its own members lost, its identifier kept (facts 69)."""
    return PowerShellError(
        error.message,
        error.identifier,
        error.category,
        "continue",
        exception_type="System.Management.Automation.RemoteException",
        target=text(error.target) or None,
    )


def _carried(value: Any, depth: int = 2) -> Any:
    """A value after it was serialized and read again (facts 69)."""
    if value is None or isinstance(value, str | int | float | DateTime | TimeSpan | Guid | Version | EnumValue):
        return str(value) if isinstance(value, NotedString) else value
    if isinstance(value, SecureString | Credential):
        raise Unsupported("a secret in a remote session")
    if isinstance(value, CimInstance):
        return value
    if depth == 0:
        return text(value)
    if isinstance(value, Array):
        return Array(_carried(item, depth - 1) for item in value)
    if isinstance(value, Hashtable):
        return Hashtable((_carried(key, depth - 1), _carried(item, depth - 1)) for key, item in value.items())
    if isinstance(value, PSObject):
        values = {name: _carried(item, depth - 1) for name, item in value.properties.items()}
        return PSObject(f"Deserialized.{type_names(value)[0]}", values)
    raise Unsupported(f"a {type_names(value)[0]} in a remote session")


def _noted(value: Any, notes: Mapping[str, Any]) -> Any:
    """A result with the note properties of remoting (facts 20)."""
    if isinstance(value, str):
        return NotedString(value, notes)
    if isinstance(value, PSObject):
        value.properties.update(notes)
    return value


def _wait(session: Session, job: _Job, timeout: float | None) -> bool:
    """Let time pass until the job ends, or ``timeout`` seconds. Raises ``Hang`` when neither comes."""
    remaining = float("inf") if job.end is None else max((job.end - session.now).total_seconds(), 0)
    if job.state != "Running":
        return True
    if timeout is None and remaining == float("inf"):
        raise Hang
    session.outcome.elapsed += remaining if timeout is None else min(remaining, timeout)
    if timeout is not None and remaining > timeout:
        return False
    job.state = "Failed" if job.errors else "Completed"
    return True


def _receive(cmdlet: Cmdlet, job: _Job) -> None:
    job.settle(cmdlet.session.now)
    if job.state == "Running":
        return
    output, job.output = job.output, []
    errors, job.errors = job.errors, []
    for item in output:
        cmdlet.write(item)
    for error in errors:
        # Its identifier stays the remote one's, without the cmdlet's name.
        error.activity = error.activity or " "
        cmdlet.session.write_error(error, cmdlet.bound.common.get("erroraction"))


_JOB = Parameter("Job", position=0, mandatory=True, pipeline=True)


class WaitJob(Cmdlet):
    """Wait-Job: the job when it has ended, nothing when time is over."""

    name, command_type = "Wait-Job", "Microsoft.PowerShell.Commands.WaitJobCommand"
    parameters = (_JOB, Parameter("Timeout", "int", aliases=("timeoutsec",)), Parameter("Any", "switch"))

    def process(self, item: Any) -> None:
        timeout = self.bound["Timeout"]
        for given in as_array(self.bound["Job"] if item is MISSING else item):
            job = _job_of(given)
            if _wait(self.session, job, None if timeout is None or timeout < 0 else float(timeout)):
                given.properties["State"] = job.shown().properties["State"]
                self.write(given)


class ReceiveJob(Cmdlet):
    """Receive-Job."""

    name, command_type = "Receive-Job", "Microsoft.PowerShell.Commands.ReceiveJobCommand"
    parameters = (_JOB, Parameter("Wait", "switch"), Parameter("AutoRemoveJob", "switch"))

    def process(self, item: Any) -> None:
        for given in as_array(self.bound["Job"] if item is MISSING else item):
            job = _job_of(given)
            if self.bound.is_set("Wait"):
                _wait(self.session, job, None)
            _receive(self, job)


class StopJob(Cmdlet):
    """Stop-Job. UNVERIFIED: that it hangs when the guest never answers (one lab tool says that such a runspace cannot be stopped)."""

    name, command_type = "Stop-Job", "Microsoft.PowerShell.Commands.StopJobCommand"
    parameters: Sequence[Parameter] = (_JOB,)

    def process(self, item: Any) -> None:
        for given in as_array(self.bound["Job"] if item is MISSING else item):
            job = _job_of(given)
            job.settle(self.session.now)
            if job.state == "Running" and job.end is None:
                raise Hang
            if job.state == "Running":
                job.state = "Stopped"


class RemoveJob(StopJob):
    """Remove-Job."""

    name, command_type = "Remove-Job", "Microsoft.PowerShell.Commands.RemoveJobCommand"
    parameters = (_JOB, Parameter("Force", "switch"))


def definitions(
    machines: Callable[[], Sequence[VirtualMachine]] | None, knows_direct: bool
) -> Mapping[str, Definition]:
    """The cmdlets of a machine. ``knows_direct``: its Windows has PowerShell Direct.

    UNVERIFIED: how 2012 R2 fails; here its Invoke-Command has no -VMId.
    """
    names = ("ScriptBlock", "ComputerName", "Credential", "ArgumentList", "AsJob", "ThrottleLimit")
    older = [item for item in InvokeCommand.parameters if item.name in names]
    parameters = InvokeCommand.parameters if knows_direct else older

    def make(session: Session, bound: Bound, emit: Emit) -> Cmdlet:
        cmdlet = InvokeCommand(session, bound, emit)
        cmdlet.machines = machines
        return cmdlet

    invoke = Definition("Invoke-Command", parameters, make, complete=not knows_direct, command_type=_INVOKE)
    found = [invoke, *(defined(kind) for kind in (WaitJob, ReceiveJob, StopJob, RemoveJob))]
    return {item.name.lower(): item for item in found}

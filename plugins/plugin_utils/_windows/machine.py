# Copyright (c) 2026 The hyperv.avma authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine is and how it is licensed: what every plan begins with. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass

from .._avma.licenses import License
from .._avma.releases import System, identify_system
from .._session.session import Session
from .licensing import LICENSE, read_license
from .system import INSTALLATION_TYPE, OPERATING_SYSTEM, read_installation_type, read_operating_system


@dataclass(frozen=True)
class Machine:
    """A machine, by its computer name.

    :ivar license: The licence of Windows; None if no product key is installed.
    """

    name: str
    system: System
    license: License | None


def read_machine(session: Session, *, installation_type: bool = False) -> Machine:
    """Read it, by two queries; one more request tells whether it is Server Core, where its SKU does not.

    :param installation_type: Whether to ask for that. An evaluation edition is asked always: it says what it can become.
    :raises InvalidAnswerError: It tells no build number.
    """
    session.expect(OPERATING_SYSTEM, LICENSE, *([INSTALLATION_TYPE] if installation_type else []))
    operating_system = read_operating_system(session)
    license = read_license(session, operating_system.build)
    system = identify_system(
        operating_system.build,
        operating_system.sku,
        license.license_family if license else None,
        operating_system.caption,
    )
    if system.core is None and system.edition and (installation_type or system.evaluation):
        system = system.installed_as(read_installation_type(session))
    return Machine(operating_system.computer_name, system, license)

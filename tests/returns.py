"""Return values against their documentation (RETURN)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def undocumented(values: Any, documented: Mapping[str, Any], path: str = "") -> set[str]:
    """The names in a result that its documentation does not know, as ``guest.system.name``."""
    found = set()
    for name, value in values.items():
        entry = documented.get(name)
        if entry is None:
            found.add(f"{path}{name}")
            continue
        contains = entry.get("contains")
        for item in value if isinstance(value, list) else [value]:
            if contains and item is not None:
                found |= undocumented(item, contains, f"{path}{name}.")
    return found

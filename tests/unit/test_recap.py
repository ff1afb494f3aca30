"""What the recap says at each machine."""

from __future__ import annotations

from typing import Any

from ansible_collections.hyperv.avma.plugins.plugin_utils._fleet.recap import to_recap


def found(code: str, *machines: str) -> dict[str, Any]:
    return {"code": code, "message": "It is.", "remedy": "Mend it.", "machines": list(machines)}


def test_each_problem_stands_in_full_once() -> None:
    problems = [(["A", "B"], found("mixed", "A", "B")), (["B"], found("off", "B"))]
    assert to_recap(problems, ["A", "B", "C"]) == {
        "A": {"failed": True, "msg": "A, B: mixed: It is. Mend it."},
        "B": {"failed": True, "msg": "B: mixed, see A.\nB: off: It is. Mend it."},
    }


def test_what_is_nowhere_in_the_inventory_stands_at_the_first_machine() -> None:
    assert to_recap([(["NODE9"], found("absent", "NODE9"))], ["A", "B"]) == {
        "A": {"failed": True, "msg": "NODE9: absent: It is. Mend it."}
    }
    assert to_recap([([], found("nothing"))], ["A"])["A"]["msg"] == "nothing: It is. Mend it."


def test_an_unreachable_machine_is_unreachable() -> None:
    assert to_recap([(["A"], found("unreachable", "A"))], ["A"]) == {
        "A": {"unreachable": True, "msg": "A: unreachable: It is. Mend it."}
    }


def test_a_machine_that_was_not_reached_is_unreachable_whatever_its_code_says_of_the_way() -> None:
    assert to_recap([(["A"], found("guest_silent", "A"))], ["A", "B"], ["A"]) == {
        "A": {"unreachable": True, "msg": "A: guest_silent: It is. Mend it."}
    }

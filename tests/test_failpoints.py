"""Every step that outlasts the process can be crashed at, under a name that says which step it is."""

from tests.failpoint_names import failpoints, steps

UNPAIRED = {"spool.sealed"}
"""Where there is one side only: nothing happens between `spool.rename.after` and this but a sync of the directory."""


def test_every_step_has_a_failpoint_on_either_side() -> None:
    names = set(failpoints())
    for step in steps():
        assert step in UNPAIRED or {f"{step}.before", f"{step}.after"} <= names, step


def test_the_steps_that_a_crash_must_not_harm_are_all_there() -> None:
    assert set(steps()) >= {
        "gong.status",
        "gong.upload",
        "ledger.book",
        "ledger.budget",
        "ledger.lease",
        "ledger.mark_accepted",
        "ledger.mark_done",
        "ledger.mark_sending",
        "ledger.migrate",
        "ledger.resolve",
        "spool.remove",
        "spool.rename",
        "spool.sealed",
        "spool.write",
    }

"""What a FAILED answer means for each line."""

import pytest

from connector.engine.verdicts import general_words, judge
from connector.ledger.records import Pending
from connector.model import LineError, Processing, RequestStatus, Resend

IDS = {line: f"id{line}" for line in range(1, 101)}


def answer(*errors: tuple[int, str], total: int | None = None, good: int = 0) -> RequestStatus:
    listed = tuple(LineError(*error) for error in errors)
    return RequestStatus(Processing.FAILED, listed, len(listed) if total is None else total, good)


def judged(status: RequestStatus, resend: Resend, lines: int = 100, tries: int = 0) -> tuple[list[str], Pending | None]:
    listed = {error.line: IDS[error.line] for error in status.errors if error.line in IDS}
    verdict = judge(status, lines, listed, resend, tries, now=1000.0)
    return [refusal.object_id for refusal in verdict.refused], verdict.rest


TWENTY = [(line, "is bad") for line in range(1, 21)]


@pytest.mark.parametrize(
    ("status", "resend", "refused", "rest"),
    [
        (answer((3, "bad"), good=99), Resend.FILE, ["id3"], Pending.RESEND),
        (answer((3, "bad"), good=99), Resend.CORRECTED, ["id3"], None),
        # Totals that do not add up: nothing is known to be good.
        (answer((3, "bad"), good=50), Resend.CORRECTED, ["id3"], Pending.RESEND),
        (answer((3, "bad"), total=2, good=98), Resend.CORRECTED, ["id3"], Pending.RESEND),
        # 20 of 20 are all there are; 20 of 21 hide one.
        (answer(*TWENTY, good=80), Resend.CORRECTED, [f"id{n}" for n in range(1, 21)], None),
        (answer(*TWENTY, total=21, good=79), Resend.CORRECTED, [f"id{n}" for n in range(1, 21)], Pending.RESEND),
        # The whole file, in every way of saying it.
        (answer((0, "general failure")), Resend.CORRECTED, [], Pending.GENERAL),
        (answer(), Resend.CORRECTED, [], Pending.GENERAL),
        (answer(total=100), Resend.FILE, [], Pending.GENERAL),
        (answer((5000, "no such line")), Resend.FILE, [], Pending.GENERAL),
        # The same line twice is one line.
        (answer((3, "bad"), (3, "worse"), good=98), Resend.CORRECTED, ["id3"], Pending.RESEND),
    ],
)
def test_lines_are_refused_good_or_go_again(
    status: RequestStatus, resend: Resend, refused: list[str], rest: Pending | None
) -> None:
    assert judged(status, resend) == (refused, rest)


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("Mandatory field [emailAddress] is missing or empty", "content", "emailAddress"),
        ("accountId [77] was not found", "dependency", ""),
        ("The account does not exist", "dependency", ""),
        ("Unknown owner", "dependency", ""),
        ("something nobody has seen before", "content", ""),
        ("", "content", ""),
    ],
)
def test_errors_are_told_apart_by_their_shape(text: str, kind: str, field: str) -> None:
    verdict = judge(answer((1, text)), 1, {1: "id1"}, Resend.FILE, 0, now=0.0)
    [refusal] = verdict.refused
    assert (refusal.kind, refusal.field, refusal.reason) == (kind, field, text)


def test_the_whole_file_is_tried_ever_more_rarely() -> None:
    dues = [judge(answer((0, "busy")), 5, {}, Resend.FILE, tries, now=0.0).due for tries in range(6)]
    assert dues == sorted(set(dues))


def test_a_general_failure_without_words_says_so() -> None:
    assert general_words(answer()) == "Gong answered FAILED and named no line"
    assert general_words(answer((0, "too busy"))) == "too busy"

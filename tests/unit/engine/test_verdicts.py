"""What a FAILED answer means for each line."""

import pytest

from connector.engine.verdicts import general_words, judge
from connector.ledger.records import Pending, Tries
from connector.model import LineError, Processing, RequestStatus, Resend

IDS = {line: f"id{line}" for line in range(1, 101)}


def answer(*errors: tuple[int, str], total: int | None = None, good: int = 0) -> RequestStatus:
    listed = tuple(LineError(*error) for error in errors)
    return RequestStatus(Processing.FAILED, listed, len(listed) if total is None else total, good)


def judged(status: RequestStatus, resend: Resend, lines: int = 100, tries: int = 0) -> tuple[list[str], Pending | None]:
    listed = {error.line: IDS[error.line] for error in status.errors if error.line in IDS}
    verdict = judge(status, lines, listed, resend, Tries(tries, tries), now=1000.0)
    return [refusal.object_id for refusal in verdict.refused], verdict.rest


TWENTY = [(line, "is bad") for line in range(1, 21)]


@pytest.mark.parametrize(
    ("status", "resend", "refused", "rest"),
    [
        (answer((3, "bad"), good=99), Resend.FILE, ["id3"], Pending.RESEND),
        (answer((3, "bad"), good=99), Resend.CORRECTED, ["id3"], None),
        # Totals that do not add up: nothing is known to be good.
        (answer((3, "bad"), good=50), Resend.CORRECTED, ["id3"], Pending.RESEND),
        (answer((3, "bad"), total=2, good=98), Resend.CORRECTED, ["id3"], Pending.SUSPECT),
        # 20 of 20 are all there are; 20 of 21 hide one.
        (answer(*TWENTY, good=80), Resend.CORRECTED, [f"id{n}" for n in range(1, 21)], None),
        (answer(*TWENTY, total=21, good=79), Resend.CORRECTED, [f"id{n}" for n in range(1, 21)], Pending.SUSPECT),
        # The whole file, in every way of saying it.
        (answer((0, "general failure")), Resend.CORRECTED, [], Pending.GENERAL),
        (answer(), Resend.CORRECTED, [], Pending.GENERAL),
        (answer(total=100), Resend.FILE, [], Pending.GENERAL),
        (answer((5000, "no such line")), Resend.FILE, [], Pending.GENERAL),
        # Totals that cannot be true.
        (answer((3, "bad"), total=0, good=100), Resend.CORRECTED, ["id3"], Pending.RESEND),
        (answer((3, "bad"), total=10**9, good=0), Resend.CORRECTED, ["id3"], Pending.RESEND),
        (answer((3, "bad"), (5000, "no such line"), good=98), Resend.CORRECTED, ["id3"], Pending.SUSPECT),
        (answer((0, "general"), (3, "bad"), total=1, good=99), Resend.CORRECTED, ["id3"], Pending.RESEND),
        # Gong may say of a failed file that nothing in it was good.
        (answer((3, "bad"), good=0), Resend.FILE, ["id3"], Pending.RESEND),
        # The same line twice is one line.
        (answer((3, "bad"), (3, "worse"), good=98), Resend.CORRECTED, ["id3"], Pending.SUSPECT),
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
    verdict = judge(answer((1, text)), 1, {1: "id1"}, Resend.FILE, Tries(0, 0), now=0.0)
    [refusal] = verdict.refused
    assert (refusal.kind, refusal.field, refusal.reason) == (kind, field, text)


def test_the_whole_file_is_tried_ever_more_rarely() -> None:
    dues = [judge(answer((0, "busy")), 5, {}, Resend.FILE, Tries(0, tries), now=0.0).due for tries in range(6)]
    assert dues == sorted(set(dues))


def test_a_general_failure_without_words_says_so() -> None:
    assert general_words(answer(), 5) == "Gong answered FAILED and named no line"
    assert general_words(answer((0, "too busy")), 5) == "“too busy”"


@pytest.mark.parametrize("resend", Resend)
def test_what_goes_down_again_and_again_goes_ever_more_rarely(resend: Resend) -> None:
    strange = answer((3, "bad"), total=0, good=100)
    verdicts = [judge(strange, 100, {3: "id3"}, resend, Tries(tries, tries), now=0.0) for tries in range(10)]
    assert {verdict.rest for verdict in verdicts[:3]} == {Pending.RESEND}
    assert {verdict.rest for verdict in verdicts[3:]} == {Pending.GENERAL}
    dues = [verdict.due for verdict in verdicts[3:]]
    assert dues == sorted(set(dues))


def test_a_fault_that_spoils_most_lines_is_not_looked_for_line_by_line() -> None:
    bad = answer(*TWENTY, total=700, good=300)
    verdict = judge(bad, 1000, IDS, Resend.FILE, Tries(0, 0), now=0.0)
    assert (verdict.rest, len(verdict.refused)) == (Pending.GENERAL, 20)
    assert general_words(bad, 1000) == "700 of 1000 lines refused: “is bad”"


def test_the_good_lines_of_a_piece_wait_for_the_other_pieces() -> None:
    status = answer((3, "bad"), good=99)
    piece = judge(status, 100, {3: "id3"}, Resend.FILE, Tries(0, 0), now=0.0, isolated=True)
    assert (piece.rest, piece.hidden, piece.believed_until) == (Pending.SUSPECT, 0, 100)
    piece = judge(status, 100, {3: "id3"}, Resend.CORRECTED, Tries(0, 0), now=0.0, isolated=True)
    assert piece.rest is None

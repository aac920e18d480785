"""Every (state, outcome) of a batch: what is said in the table holds, and what is not said is refused."""

import pytest

from connector.engine.lifecycle import TRANSITIONS, Outcome, Step, advance
from connector.ledger.records import UNSETTLED, BatchState

PAIRS = [(state, outcome) for state in BatchState for outcome in Outcome]


@pytest.mark.parametrize(("state", "outcome"), PAIRS)
def test_every_pair_is_answered_or_refused(state: BatchState, outcome: Outcome) -> None:
    if outcome in TRANSITIONS.get(state, {}):
        assert advance(state, outcome).state in BatchState
    else:
        with pytest.raises(ValueError, match="cannot meet"):
            advance(state, outcome)


@pytest.mark.parametrize("outcome", Outcome)
def test_nothing_ever_happens_to_a_settled_batch(outcome: Outcome) -> None:
    for state in (BatchState.DONE, BatchState.RESOLVED):
        with pytest.raises(ValueError, match="cannot meet"):
            advance(state, outcome)


def test_what_may_have_arrived_never_counts_as_never_sent_again() -> None:
    for state in (BatchState.SENT, BatchState.ACCEPTED):
        assert all(went.state is not BatchState.SPOOLED for went in TRANSITIONS[state].values())


def test_only_gongs_answer_or_the_loss_of_the_file_settles_a_batch() -> None:
    settling = {
        (state, outcome)
        for state, row in TRANSITIONS.items()
        for outcome, went in row.items()
        if state in UNSETTLED and went.state not in (BatchState.SPOOLED, BatchState.SENT, BatchState.ACCEPTED)
    }
    assert settling == {
        (BatchState.SENT, Outcome.DONE),
        (BatchState.SENT, Outcome.FAILED),
        (BatchState.ACCEPTED, Outcome.DONE),
        (BatchState.ACCEPTED, Outcome.FAILED),
        (BatchState.SPOOLED, Outcome.FILE_LOST),
        (BatchState.SENT, Outcome.FILE_LOST),
        (BatchState.FAILED, Outcome.BOOKED),
    }


@pytest.mark.parametrize(
    ("state", "outcome", "then", "step"),
    [
        (BatchState.SPOOLED, Outcome.AMBIGUOUS, BatchState.SENT, Step.ASK),
        (BatchState.SPOOLED, Outcome.UNREACHABLE, BatchState.SPOOLED, Step.UPLOAD_LATER),
        (BatchState.SENT, Outcome.UNKNOWN, BatchState.SENT, Step.UPLOAD),
        (BatchState.SENT, Outcome.CONFLICT, BatchState.ACCEPTED, Step.ASK),
        (BatchState.ACCEPTED, Outcome.UNKNOWN, BatchState.ACCEPTED, Step.ASK_LATER),
        (BatchState.ACCEPTED, Outcome.FORGOTTEN, BatchState.SENT, Step.UPLOAD_LATER),
    ],
)
def test_doubts_are_resolved_by_asking(state: BatchState, outcome: Outcome, then: BatchState, step: Step) -> None:
    went = advance(state, outcome)
    assert (went.state, went.step) == (then, step)


def test_every_unsettled_state_can_come_to_an_end() -> None:
    reached = {BatchState.DONE, BatchState.RESOLVED}
    while True:
        more = {state for state, row in TRANSITIONS.items() if any(went.state in reached for went in row.values())}
        if more <= reached:
            break
        reached |= more
    assert reached == set(BatchState)

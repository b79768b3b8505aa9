"""WOPI-2: every cell of the table of lock rules."""

from __future__ import annotations

from itertools import product

import pytest

from collab.errors import Malformed
from collab.wopi.locks import LONGEST, RULES, Answer, Holder, Operation, Standing, check, decide, holder_of, standing

REFUSED = {
    (Operation.LOCK, Standing.OTHER),
    (Operation.RELOCK, Standing.FREE),
    (Operation.RELOCK, Standing.OTHER),
    (Operation.REFRESH, Standing.FREE),
    (Operation.REFRESH, Standing.OTHER),
    (Operation.UNLOCK, Standing.FREE),
    (Operation.UNLOCK, Standing.OTHER),
    (Operation.PUT, Standing.OTHER),
    (Operation.OVERWRITE, Standing.SAME),
    (Operation.OVERWRITE, Standing.OTHER),
    (Operation.RENAME, Standing.OTHER),
    (Operation.DELETE, Standing.SAME),
    (Operation.DELETE, Standing.OTHER),
}
"""What the specification answers with 409."""
DONE = {
    (Operation.LOCK, Standing.FREE): Answer.TAKE,
    (Operation.LOCK, Standing.SAME): Answer.TAKE,
    (Operation.RELOCK, Standing.SAME): Answer.SWAP,
    (Operation.REFRESH, Standing.SAME): Answer.EXTEND,
    (Operation.UNLOCK, Standing.SAME): Answer.FREE,
    (Operation.GET, Standing.FREE): Answer.TELL,
    (Operation.GET, Standing.SAME): Answer.TELL,
    (Operation.GET, Standing.OTHER): Answer.TELL,
    (Operation.PUT, Standing.FREE): Answer.ONLY_EMPTY,
    (Operation.PUT, Standing.SAME): Answer.GO,
    (Operation.OVERWRITE, Standing.FREE): Answer.GO,
    (Operation.RENAME, Standing.FREE): Answer.GO,
    (Operation.RENAME, Standing.SAME): Answer.GO,
    (Operation.DELETE, Standing.FREE): Answer.GO,
}
IDS = {Standing.FREE: ("", "mine"), Standing.SAME: ("mine", "mine"), Standing.OTHER: ("theirs", "mine")}


@pytest.mark.parametrize(("operation", "held"), list(product(Operation, Standing)))
def test_each_cell_of_the_table_is_what_the_specification_says(operation: Operation, held: Standing) -> None:
    """WOPI-2."""
    expected = Answer.REFUSE if (operation, held) in REFUSED else DONE[operation, held]
    assert decide(operation, *IDS[held]) is expected


def test_the_table_has_a_row_for_each_operation() -> None:
    assert set(RULES) == set(Operation)
    assert {len(row) for row in RULES.values()} == {len(Standing)}


@pytest.mark.parametrize("operation", list(Operation))
def test_who_names_no_lock_is_another_one_than_who_holds_it(operation: Operation) -> None:
    """WOPI-2."""
    assert decide(operation, "theirs", "") is decide(operation, "theirs", "mine")


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        ('{"S":"1"}', '{"S":"1"}', Standing.SAME),
        ('{"S":"1"}', '{"S": "1"}', Standing.OTHER),
        ("lock", "LOCK", Standing.OTHER),
        ("lock", "lock ", Standing.OTHER),
        ("", "lock", Standing.FREE),
        ("lock", "", Standing.OTHER),
    ],
)
def test_ids_are_compared_to_the_byte(held: str, given: str, expected: Standing) -> None:
    """WOPI-2."""
    assert standing(held, given) is expected


@pytest.mark.parametrize("given", ["x", "{}", "a" * LONGEST, " ~"])
def test_an_id_is_kept_as_it_came(given: str) -> None:
    assert check(given) == given


@pytest.mark.parametrize("given", ["", "a" * (LONGEST + 1), "é", "€"])
def test_what_is_no_id_of_a_lock_is_refused_in_words(given: str) -> None:
    """WOPI-2."""
    with pytest.raises(Malformed, match=r"lock"):
        check(given)


@pytest.mark.parametrize("holder", [Holder("collabora", "Ann"), Holder("", ""), Holder('"', "Ben\n✍")])
def test_who_holds_a_lock_is_known_by_name(holder: Holder) -> None:
    assert holder_of(holder.sealed()) == holder
    assert holder.words.startswith("the document is open in ")


@pytest.mark.parametrize("kept", ["", "[]", "{}", "null", '{"suite": 1}', "node"])
def test_a_holder_that_cannot_be_read_is_nobody(kept: str) -> None:
    assert holder_of(kept) == Holder("", "")

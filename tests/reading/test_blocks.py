"""Renderings in blocks, and the patch between two of them (docs/reference/rules.md, READ)."""

from __future__ import annotations

import random

from collab.reading.blocks import Block, chunks, rendering, splices


def patched(before: list[str], after: list[Block]) -> list[str]:
    """What a reader's page does with a patch."""
    names = [*before]
    for splice in reversed(splices(before, after)):
        names[splice.at : splice.at + splice.remove] = [block.name for block in splice.insert]
    return names


def test_the_same_block_has_the_same_name_and_twice_the_same_text_has_two() -> None:
    first = rendering("sheet", "", ["<p>a</p>", "<p>b</p>", "<p>a</p>"])
    second = rendering("sheet", "", ["<p>x</p>", "<p>a</p>", "<p>a</p>"])

    names = [block.name for block in first.blocks]
    assert len(set(names)) == 3
    assert {names[0], names[2]} <= {block.name for block in second.blocks}
    assert first.version != second.version
    assert first.version == rendering("sheet", "", ["<p>a</p>", "<p>b</p>", "<p>a</p>"]).version


def test_read_4_a_patch_has_the_changed_blocks_and_no_others() -> None:
    before = rendering("sheet", "", [f"<p>{number}</p>" for number in range(500)])
    after = rendering("sheet", "", [f"<p>{'new' if number == 250 else number}</p>" for number in range(500)])

    (splice,) = splices([block.name for block in before.blocks], after.blocks)

    assert (splice.at, splice.remove, [block.html for block in splice.insert]) == (250, 1, ["<p>new</p>"])


def test_read_4_any_patch_makes_the_new_page_of_the_old() -> None:
    dice = random.Random(7)
    for _ in range(300):
        old = rendering("sheet", "", [str(dice.randrange(9)) for _ in range(dice.randrange(12))])
        new = rendering("sheet", "", [str(dice.randrange(9)) for _ in range(dice.randrange(12))])
        assert patched([block.name for block in old.blocks], [*new.blocks]) == [block.name for block in new.blocks]


def test_much_that_changed_is_one_splice_without_a_search() -> None:
    old, new = rendering("sheet", "", map(str, range(5_000))), rendering("sheet", "", map(str, range(10_000, 15_000)))

    assert len(splices([block.name for block in old.blocks], new.blocks)) == 1


def test_a_row_more_changes_few_groups_of_rows() -> None:
    rows = [f"row {number}" for number in range(2_000)]
    before = {tuple(group) for group in chunks(rows)}
    after = {tuple(group) for group in chunks(["first", *rows])}

    assert [row for group in chunks(rows) for row in group] == rows
    assert len(after - before) <= 3
    assert max(map(len, before)) <= 96

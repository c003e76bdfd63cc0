"""What was left out or guessed on the way from a table of ratings to its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.remarks import remark, worst_first
from dropforge.datasets.leftout import NO_ROLE
from dropforge.datasets.remarks import NAMED, encoding_guessed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.contract.remarks import Remark
    from dropforge.datasets.columns import Described
    from dropforge.datasets.dataset import Options


def remarks_on_ratings(
    described: Mapping[str, Described], counts: Mapping[str, int], roles: tuple[str, str, str], options: Options
) -> tuple[Remark, ...]:
    """Every remark on a table of ratings, the worst first; `roles` are the columns of user, item and rating."""
    user, item, rating = roles
    remarks = list(encoding_guessed(options))
    if options.guesses_task:
        sentence = (
            f"The columns are called as those of ratings, so a recommender is trained: user {user!r}, item "
            f"{item!r}, rating {rating!r}."
        )
        remarks.append(remark("task", sentence, option="task: regression"))
    if counts["without_target"]:
        sentence = f"{counts['without_target']:,} of {counts['read']:,} rows lack a user, an item or a rating."
        remarks.append(remark("no_target", f"{sentence} They are left out.", column=rating))
    if counts["duplicates"]:
        sentence = (
            f"{counts['duplicates']:,} of {counts['read']:,} rows are followed by another rating of the same user"
        )
        remarks.append(remark("repeated_rows", f"{sentence} for the same item; the last one counts."))
    unread = [name for name, column in described.items() if column.left_out is NO_ROLE]
    if unread:
        named = ", ".join(repr(name) for name in unread[:NAMED]) + (" and others" if len(unread) > NAMED else "")
        remarks.append(remark("left_out", f"A recommender reads the user and the item alone: it leaves out {named}."))
    return worst_first(remarks)

"""Children follow their parents: flagged when the parent is gone, live again when it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ado_assets.warehouse.family import Link
from ado_assets.warehouse.merge import Transaction
from ado_assets.warehouse.report import TableCounts
from ado_assets.warehouse.sql import address, equal


def cascade(
    transaction: Transaction, links: Sequence[Link], counts: Mapping[str, TableCounts]
) -> dict[str, TableCounts]:
    """
    Carry the deletions and restorations of this load to all descendants.

    Only rows that this load flagged ``parent_deleted`` or an earlier one did come back; a child that was gone for a
    reason of its own stays gone.

    Args:
        links: All tables' parents, parents first.
        counts: What the load did so far; added to for the feed's tables.

    Returns:
        Counts of the other tables that were reached.
    """
    reached: dict[str, TableCounts] = {}
    moved = {name for name, c in counts.items() if c.deleted or c.restored}
    for link in links:
        if link.parent.name not in moved:
            continue
        flagged, restored = _flag(transaction, link), _restore(transaction, link)
        if not (flagged or restored):
            continue
        moved.add(link.child.name)
        table = counts.get(link.child.name) or reached.setdefault(link.child.name, TableCounts())
        table.deleted += flagged
        table.restored += restored
    return reached


def _flag(transaction: Transaction, link: Link) -> int:
    return transaction.run(
        f"UPDATE {address(link.child)} AS c SET _deleted_at = p._deleted_at, _deleted_reason = 'parent_deleted', "
        f"_load_id = $load_id FROM {address(link.parent)} AS p WHERE {_joined(link)} "
        "AND p._deleted_at IS NOT NULL AND c._deleted_at IS NULL",
        load_id=transaction.load_id,
        organization=transaction.organization,
    )


def _restore(transaction: Transaction, link: Link) -> int:
    return transaction.run(
        f"UPDATE {address(link.child)} AS c SET _deleted_at = NULL, _deleted_reason = NULL, _load_id = $load_id "
        f"FROM {address(link.parent)} AS p WHERE {_joined(link)} "
        "AND p._deleted_at IS NULL AND c._deleted_reason = 'parent_deleted'",
        load_id=transaction.load_id,
        organization=transaction.organization,
    )


def _joined(link: Link) -> str:
    """Children of the parents that this load wrote."""
    return f"p.organization = $organization AND p._load_id = $load_id AND {equal('c', 'p', link.joined)}"

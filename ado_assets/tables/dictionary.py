"""
The data dictionary: what people read about the tables, printed from their declarations.

Only text is made here. What a table or column means is said where it is declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ado_assets.tables.model import BOOKKEEPING, Table

_INTRODUCTION = """\
# Data dictionary

Made by `ado-assets dictionary` from the declarations in `ado_assets/tables`; do not edit it by hand.

All tables are in the schema `ado`; a view of the same name in `ado_live` shows the live rows without the columns that
begin with an underscore. Instants are TIMESTAMPTZ in UTC; the API's year 1 and year 9999 (not set, still open) are
null. A property that the API leaves out is null. Column `Source` says where a value stands in the API's record: `a/b`
walks down, `@x` is taken from the address of the request, `^a` from the record that holds the array.
"""


def markdown(tables: Iterable[Table]) -> str:
    """The data dictionary of *tables*, in their order, as one Markdown page that ends in a newline."""
    listed = list(tables)
    blocks = [_INTRODUCTION, _contents(listed), _columns_of_every_table()]
    blocks += [_section(table) for table in listed]
    return "\n".join(blocks)


def _contents(tables: list[Table]) -> str:
    rows = ((f"[{t.name}](#{t.name})", t.connector, f"{len(t.columns)}", t.about) for t in tables)
    return _grid("Tables", ("Table", "Connector", "Columns", "One row"), rows)


def _columns_of_every_table() -> str:
    first = ("`organization`", "VARCHAR", "Name of the organization; the first key column of every table.")
    rows = ((f"`{name}`", type_, about) for name, type_, about in BOOKKEEPING)
    return _grid("Columns of every table", ("Column", "Type", "Meaning"), (first, *rows))


def _section(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.full_key)
    facts = [f"- **Key:** {key}", f"- **Connector:** {table.connector}", f"- **Read from:** `{table.source}`"]
    if table.feed_name != table.name:
        facts.append(f"- **Comes with:** [{table.feed_name}](#{table.feed_name})")
    if table.parent:
        pairs = ", ".join(f"`{own}` = `{other}`" for own, other in table.parent.columns.items())
        facts.append(f"- **Hangs under:** [{table.parent.table}](#{table.parent.table}) ({pairs})")
    if table.ignored:
        facts.append(f"- **Left out:** {', '.join(f'`{path}`' for path in table.ignored)}")
    rows = ((f"`{c.name}`", c.type, f"`{c.path}`", c.about) for c in table.columns)
    grid = "\n".join(_lines(("Column", "Type", "Source", "Meaning"), rows))
    return "\n".join((f"## {table.name}", "", table.about, "", *facts, "", grid, ""))


def _grid(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join((f"## {title}", "", *_lines(head, rows), ""))


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for cells in (head, tuple("---" for _ in head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

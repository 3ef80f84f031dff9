"""The import rule between the folders, as design and reviewers expect it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ado_assets"

MAY_IMPORT = {
    "ado": set(),
    "tables": set(),
    "config": {"tables"},
    "streams": {"ado", "tables"},
    "warehouse": {"tables"},
    "sync": {"ado", "tables", "streams", "warehouse"},
    "resources": {"ado", "tables", "warehouse", "config"},
    "connections": {"ado", "tables", "config", "streams"},
    "assets": {"tables", "sync", "warehouse", "resources", "config", "connections"},
    "sample": set(),
    "graph": {"assets", "resources", "config"},
    "definitions": {"graph"},
    "cli": {"ado", "tables", "sync", "warehouse", "assets", "config", "connections", "graph", "sample"},
}


def imports_of(layer: str) -> set[str]:
    """The layers that the modules of *layer* import."""
    files = [PACKAGE / f"{layer}.py"] if (PACKAGE / f"{layer}.py").exists() else (PACKAGE / layer).rglob("*.py")
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found |= {name.split(".")[1] for name in names if name.startswith("ado_assets.")}
    return found - {layer}


def test_every_layer_is_in_the_table():
    """A new folder or module must say what it may import."""
    layers = {p.stem for p in PACKAGE.iterdir() if p.is_dir() or p.suffix == ".py"} - {"__init__", "__pycache__"}

    assert layers == set(MAY_IMPORT)


@pytest.mark.parametrize("layer", sorted(MAY_IMPORT))
def test_imports_go_only_downward(layer):
    assert imports_of(layer) <= MAY_IMPORT[layer]

"""Words of branches, commits and repositories. Text only; nothing here knows an entity."""

from __future__ import annotations

import random

from ado_assets.sample.words import ENDINGS, NOUNS, VERBS, paragraph

REPOSITORY_NAMES = (
    "payments-api",
    "web-shop",
    "mobile-app",
    "infrastructure",
    "data-platform",
    "identity-service",
    "design-system",
    "docs-site",
    "search-service",
    "notification-hub",
    "batch-jobs",
    "Build.Tools",
    "reporting",
)
LABELS = ("bug", "breaking change", "hotfix", "needs-docs", "backport", "ready 🚦", "security")
PATHS = ("src/api", "src/core", "src/ui/components", "tests/unit", "deploy/helm", "docs", "tools/Ünïcode dir")
SUFFIXES = ("py", "cs", "ts", "md", "yaml", "sql")
REVIEW_COMMENTS = (
    "Could this throw when the list is empty?",
    "nit: spelling",
    "Why not reuse the existing parser?",
    "Great catch, thank you!",
    "This will be called once per row; please hoist it.",
    "Please add a test.",
    "LGTM 👍",
    "```suggestion\nreturn value ?? fallback;\n```",
    "Is the timeout in seconds or milliseconds?",
    "I would rather keep this in one place.",
)


def commit_comment(rng: random.Random) -> str:
    """Return a commit message; one in six has a body, one in forty a headline that lists must cut."""
    chance = rng.random()
    headline = f"{VERBS[int(rng.random() * len(VERBS))]} {NOUNS[int(rng.random() * len(NOUNS))]}"
    if chance < 0.025:
        return f"{headline} " + ", ".join(ENDINGS)
    if chance < 0.19:
        return f"{headline}\n\n{paragraph(rng, 2)}\n"
    return headline


def topic(rng: random.Random) -> str:
    """Return a branch topic such as ``fix-login-form``."""
    return f"{rng.choice(VERBS)}-{rng.choice(NOUNS)}".lower().replace(" ", "-")


def description(rng: random.Random, kind: int) -> str | None:
    """Return a pull request description: None for kind 0, more than 400 characters for kind 1, short otherwise."""
    if kind == 0:
        return None
    if kind == 1:
        return f"## Why\n{paragraph(rng, 6)}\n\n## How\n- {paragraph(rng, 3)}\n- ✅ {paragraph(rng, 2)}\n"
    return paragraph(rng, 1 + int(rng.random() * 2))


def path(rng: random.Random) -> str:
    """Return the path of a file, starting with a slash."""
    return f"/{rng.choice(PATHS)}/{rng.choice(NOUNS).replace(' ', '_')}.{rng.choice(SUFFIXES)}"

"""Words of a believable organization: names, titles, sentences. Text only; nothing here knows an entity."""

from __future__ import annotations

import random


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


FIRST_NAMES = _listed(
    "Amara|Jonas|Mei|Tariq|Zoë|Søren|Priya|Mateo|Hana|Viktor|Leila|Oskar|Noor|Dmitri|Ingrid|Kwame|Yuki|Rosa|Emil|"
    "Fatima|Liam|Chiara|Anders|Aisha|Tomás|Greta|Ravi|Elif|Hugo|Marisol|Ivan|Noémie|Samir|Freya|Kenji|Paloma|"
    "Björn|Nadia|Otto|Ximena|Arjun|Saoirse|Milan|Adaeze|Łukasz|Sofia|Idris|Helga"
)
LAST_NAMES = _listed(
    "Okafor|Lindqvist|Tanaka|Haddad|Müller|Novák|Sharma|Fernández|Kim|O'Brien|Petrov|Nielsen|Mensah|Rossi|Yilmaz|"
    "Dubois|Silva|Kowalski|Andersson|Chen|García|Weber|Ivanova|Nguyen|Moreau|Jensen|Kaya|Bianchi|Larsen|Costa|"
    "Zieliński|Park|Abebe|Horvat|Papadopoulos|Sato|Eriksson|Mbeki|Vargas|Schmidt"
)
VERBS = _listed(
    "Add|Fix|Refactor|Remove|Support|Improve|Document|Validate|Cache|Migrate|Rename|Simplify|Handle|Retry|Parse|"
    "Expose|Speed-up|Deprecate|Encrypt|Audit"
)
NOUNS = _listed(
    "invoice export|login form|rate limiter|payment webhook|search index|order history|audit log|session cache|"
    "feature flag|report builder|currency rounding|address validation|retry queue|image upload|tax calculation|"
    "mobile layout|dark mode|access token refresh|stock level sync|email templates|customer portal|"
    "data retention job|CSV import|telemetry pipeline|checkout page|discount engine|shipment tracker|user avatar|"
    "timezone handling|health probe"
)
ENDINGS = _listed(
    "for large customers|when the basket is empty|after the upgrade|in the nightly run|on slow networks|"
    "for guests|behind a proxy|with non-Latin names|under load|in read-only mode|for the auditors|on tablets"
)
SENTENCES = (
    "The current behaviour confuses customers and costs the support team an hour a day.",
    "It happens only when two sessions of the same user overlap.",
    "We agreed in the review to keep the old contract for one more release.",
    "Logs of the last incident are attached; the stack trace points at the serializer.",
    "This needs a decision from the architecture board before we start.",
    "The numbers in the dashboard & the export must agree to the cent.",
    'Steps: open the page, choose "Ångström", press save, watch the spinner.',
    "Estimated after a short spike; most of the work is in the tests.",
    "Blocked by the vendor's certificate rotation until next week.",
    "Works on my machine, fails in the pipeline: the locale differs.",
)
COMMENTS = (
    "Looks good to me.",
    "Could we split this into two changes?",
    "Nit: the name hides what it does.",
    "I can reproduce it on staging.",
    "Moved to the next sprint, capacity is gone.",
    "Done 🎉",
    "Please add a test for the empty case.",
    "Which customers are affected?",
    "Let's talk about this tomorrow.",
    "Deployed to the canary ring.",
)
EMOJI = ("🚀", "🐛", "🔥", "✨", "👩‍💻", "🧪", "📦", "⚡")


def title(rng: random.Random) -> str:
    """Return one headline of three to eight words; about one in thirty starts with an emoji."""
    text = f"{rng.choice(VERBS)} {rng.choice(NOUNS)}"
    if rng.random() < 0.5:
        text += f" {rng.choice(ENDINGS)}"
    return f"{rng.choice(EMOJI)} {text}" if rng.random() < 0.03 else text


def paragraph(rng: random.Random, sentences: int = 3) -> str:
    """Return plain text of that many sentences."""
    return " ".join(rng.choice(SENTENCES) for _ in range(sentences))


def html(rng: random.Random, paragraphs: int = 2) -> str:
    """Return rich text as the work item form stores it."""
    return "".join(f"<div>{paragraph(rng, 2)}</div>" for _ in range(paragraphs))

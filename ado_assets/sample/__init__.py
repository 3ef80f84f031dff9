"""
A sample Azure DevOps organization: a real HTTP server with seeded content and a clock that moves by ticks.

Belongs here: the organization's entities, how they change, and the REST 7.1 answers that show them. Does not belong
here: anything of the copying side; this package imports nothing else of ado_assets.

Point a client at it with base URL, graph URL and release URL all equal to ``base_url``, the organization ``sample`` and
one of ``TOKENS``.
"""

from ado_assets.sample.auth import TOKENS
from ado_assets.sample.faults import KINDS, Rule
from ado_assets.sample.process import SampleProcess
from ado_assets.sample.scale import SCALES, Scale
from ado_assets.sample.server import SampleServer, create_app, serve
from ado_assets.sample.world import World

__all__ = [
    "KINDS",
    "SCALES",
    "TOKENS",
    "Rule",
    "SampleProcess",
    "SampleServer",
    "Scale",
    "World",
    "create_app",
    "serve",
]

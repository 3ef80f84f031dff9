"""
A sample Azure DevOps organization: a real HTTP server with seeded content and a clock that moves by ticks.

Belongs here: the organization's entities, how they change, and the REST 7.1 answers that show them. Does not belong
here: anything of the copying side; this package imports nothing else of ado_assets.
"""

"""
Copy an Azure DevOps organization into DuckDB with Dagster.

The folders, from the bottom up (a folder imports only from those above it in this list):

- ``ado``: the API client: transport, credentials, governor, retry, paging, errors, timestamps. Knows no tables.
- ``tables``: declarations, one per table: key, columns, docs, source endpoint.
- ``streams``: how each table's rows are read from the API and what "changed" means for it.
- ``warehouse``: how rows, tombstones, watermarks and the ledger land in DuckDB, atomically.
- ``sync``: joins the two sides: one function that syncs one feed for a set of projects. No Dagster.
- ``resources``, ``assets``: the Dagster side.
- ``sample``: a sample organization, a real HTTP server. Imports nothing of ours.
"""

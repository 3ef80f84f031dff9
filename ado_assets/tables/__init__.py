"""Declarations of every table: keys, columns, docs and API sources."""

"""How each table's rows are read from the API, and what "changed" means for it."""

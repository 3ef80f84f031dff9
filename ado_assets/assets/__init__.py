"""The asset graph: one explicit asset per read, its jobs, schedules, sensors and checks."""

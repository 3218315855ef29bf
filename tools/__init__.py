"""The repository's own tools: installing, locking, testing. Nothing here is needed by a running shop."""

"""Refusals on their way out: one error, one status table per family, one renderer per family, localised messages."""

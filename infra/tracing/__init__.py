"""Traces, as an extra: what one request caused, across processes. Off unless a receiver is set; see docs/adr."""

"""The native API, `/v1`: directory, group assignments, operations, events, health, and what operators administer."""

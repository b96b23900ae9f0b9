"""The parts of authentication: token lookup, JWTs and their keys, and the limit on bad credentials."""

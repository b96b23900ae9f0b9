"""The version of this code; the same as pyproject.toml's, which an image does not contain."""

VERSION = "0.1.0"

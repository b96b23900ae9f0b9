"""The application as a process of its own runs it.

One rule: only a process that serves until it ends makes one; what is made here is never collected.
"""

from fastapi import FastAPI

from api.app import create_app
from infra import garbage


def application() -> FastAPI:
    """The application, made for good.

    Left to the collector, routes and models are walked again and again while bodies are read, which took a quarter of
    the processor time of a call.
    """
    app = create_app()
    garbage.look_rarely()
    return app

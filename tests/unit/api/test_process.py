"""What a process of its own does with the application before it serves."""

import os
import subprocess
import sys

# In a process of its own: what is frozen here would stay in every test after it.
_ASKS = """
import gc
from workers.cli.service import APPLICATION
module, _, name = APPLICATION.partition(":")
app = getattr(__import__(module, fromlist=[name]), name)()
print(len(app.routes), gc.get_freeze_count() > len(gc.get_objects()))
"""


def test_the_garbage_collector_leaves_alone_what_stays():
    settings = {**os.environ, "SEATLINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    program = [sys.executable, "-P", "-c", _ASKS]
    asked = subprocess.run(program, env=settings, capture_output=True, text=True, check=False)
    assert asked.stderr == ""
    routes, most_is_frozen = asked.stdout.split()
    assert int(routes) > 0
    assert most_is_frozen == "True"

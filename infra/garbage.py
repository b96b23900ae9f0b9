"""Python's garbage collector in a process that serves until it ends.

One rule: what a process has made before it serves is not looked at again, and what it makes then only now and then.
"""

import gc

# By Python's own measure, 700 objects more than before, a batch of 100 items starts it several times, and hardly
# anything here is part of a cycle: docs/adr/0025.
_OBJECTS = 20_000
# Python's own, said because they count in looks: after ten at the youngest objects it looks at those that stayed too.
_LOOKS = 10


def look_rarely() -> None:
    """Call it once, when everything that stays for good has been made: looks at it all for the last time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, _LOOKS, _LOOKS)

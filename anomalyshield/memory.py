"""What a process has loaded stays, so the collector of cycles need not walk it again and again.

A full collection visits every object of Django, of the libraries and of the models: 60 ms and more
in which no thread of the process answers anybody, twice while a file of 30,000 rows is read.
Nothing of that is ever let go. What is made later is collected as always.
"""

import gc

YOUNG = 10_000  # a block of a file is made of more objects than Python's 700


def settle() -> None:
    """Call it when everything is loaded: before a fork, so that children share those pages, and
    before the first request or row."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)

"""The one announcement of this room: decisions were committed. Whoever cares listens."""

from django.dispatch import Signal

decisions_made = Signal()  # ids: the primary keys of those decisions that want a person

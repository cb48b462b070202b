"""What this room announces: rooms above it listen, inside the verb's own transaction."""

from django.dispatch import Signal

suspended = Signal()  # by: who did it; user: who may do nothing any more

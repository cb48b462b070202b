"""How one event's digest follows from its content and the event before it.

digest = SHA-256(previous digest ‖ number as 8 bytes, big-endian ‖ content in UTF-8), where content
is the row as PostgreSQL's own jsonb array, whose text form is canonical: keys sorted, one spelling
of each number, no free spaces. The first event follows 32 zero bytes.
"""

import hashlib

START = bytes(32)

CONTENT = """jsonb_build_array(
    id, (extract(epoch FROM at) * 1000000)::bigint, actor, role, host(ip), request_id, action,
    object_type, object_id, outcome, reason, before, after
)::text"""


def link(previous: bytes, number: int, content: str) -> bytes:
    return hashlib.sha256(previous + number.to_bytes(8, "big") + content.encode()).digest()

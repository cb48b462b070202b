"""A made-up card issuer's last sixty days: same seed and same moment, same bytes."""

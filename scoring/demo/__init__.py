"""A made-up card issuer: same seed, same rows and same moment, same bytes."""

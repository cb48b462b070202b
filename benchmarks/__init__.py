"""Figures of this product, each beside the naive way in the same run. `make bench` prints them."""

"""The same installation with one address: `/detect` as a first version usually has it."""

from anomalyshield.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.naive_urls"

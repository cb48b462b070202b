"""The same installation with one address: `/detect` as a first version usually has it."""

from anomalyshield.settings import *  # noqa: F403
from anomalyshield.settings import MIDDLEWARE as OURS

MIDDLEWARE = [one for one in OURS if not one.endswith("Straight")]  # which is not naive
ROOT_URLCONF = "benchmarks.naive_urls"

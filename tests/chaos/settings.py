"""The platform with a toy in the place of scoring: real processes and rows, work one can watch."""

from anomalyshield.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos.toy"]  # noqa: F405

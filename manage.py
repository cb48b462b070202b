#!/usr/bin/env python
"""The one door for commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anomalyshield.settings")
    from django.core.management import execute_from_command_line

    from anomalyshield.env import BadSetting

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as wrong:
        sys.exit(f"Wrong setting: {wrong}")


if __name__ == "__main__":
    main()

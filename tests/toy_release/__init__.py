"""An app with migrations as a release may bring them, for the tests of `manage.py migrate`."""

"""What every REST resource does alike: see `resource.py`."""

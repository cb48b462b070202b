"""People, their keys and the trail, for programs."""

"""What upstream systems talk to."""

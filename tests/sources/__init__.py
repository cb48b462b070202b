"""Sources as things that people make: versions, secrets, doors, quarantine."""

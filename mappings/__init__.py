"""What it means: the canonical model, and the mappings between it and each platform's own words."""

"""What the platforms say: one file (or folder) per platform, HTTP to records and no more."""

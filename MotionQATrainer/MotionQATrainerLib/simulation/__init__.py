"""Motion that never was: breathing, anatomy, and what the scanner would have seen."""

"""Images and labels: found, matched, checked, split, stored."""

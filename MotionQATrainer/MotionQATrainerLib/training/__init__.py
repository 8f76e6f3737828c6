"""From settings and slices to a finished checkpoint."""

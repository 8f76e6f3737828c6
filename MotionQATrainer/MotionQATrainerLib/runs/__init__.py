"""A training run's folder: its state, journal and lock."""

"""What a network is worth: predictions, metrics, calibration, reports."""

"""DICOM over the network: receiving images by C-STORE, and sending reports."""

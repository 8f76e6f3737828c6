"""The reader study: cases, their order, readers' scores, and how well readers agree."""

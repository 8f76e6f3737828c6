"""Series as they arrive: when one is complete, what was graded, and what was acquired again."""

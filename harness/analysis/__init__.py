"""From scores to numbers for a paper: statistics, tables, published numbers."""

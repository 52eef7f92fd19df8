"""The executor ``ray``: runs as tasks of a Ray cluster, with Ray core alone."""

"""The executor ``slurm``: runs as array jobs of a Slurm cluster, submitted through submitit."""

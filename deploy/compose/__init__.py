"""Parts of ``compose.yaml``: what its servers and jobs are given."""

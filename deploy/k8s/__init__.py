"""Kubernetes: manifests for kustomize, those that follow from the system map written by ``python -m deploy.k8s``.

What an installation chooses (servers, sizes, addresses) is in files written by hand beside them.
"""

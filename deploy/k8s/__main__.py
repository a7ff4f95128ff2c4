"""``python -m deploy.k8s``: write the manifests that follow from the system map."""

from deploy.k8s.files import FILES, K8S

if __name__ == "__main__":
    for path, make in FILES.items():
        (K8S / path).write_text(make(), encoding="utf-8")

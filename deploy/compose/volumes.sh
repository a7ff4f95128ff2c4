# For backup.sh and restore.sh: which container has which data, and where the secrets are.
VOLUMES="kafka:/var/lib/kafka/data postgres:/var/lib/postgresql mongo:/data/db mailpit:/data signing-key:/keys"

secrets() { # the directory: as in the environment, else as in .env
    named=${SECRETS:-$(sed -n 's/^SECRETS=//p' .env 2>/dev/null || true)}
    echo "${named:-.secrets}"
}

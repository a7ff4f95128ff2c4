#!/bin/sh
# Starts Kafka in compose.yaml: one node, as in deploy/local/kafka.py. It lets in its users only, each with a password
# (SCRAM-SHA-512); deploy/access.py says what they may do. They are made with the data, at the first start, with the
# passwords that are in files: one that is changed later is not known to it.
set -eu
umask 077

kafka=${KAFKA_HOME:-/opt/kafka} data=${KAFKA_DATA:-/var/lib/kafka/data} address=${KAFKA_ADDRESS:-kafka:9092}
controller=localhost:${KAFKA_CONTROLLER_PORT:-9093} work=${TMPDIR:-/tmp} given=${KAFKA_GIVEN:-}
secrets=${KAFKA_SECRETS:-/run/secrets}
settings=$work/server.properties modules=org.apache.kafka.common.security

# What a read-only container lets its programs write, and where its log goes.
export LOG_DIR="$work/logs" EXTRA_ARGS="" KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$given/kafka-log4j2.properties"

password() { # FILE
    cat "$secrets/$1" 2>/dev/null || true
}

admin_password=$(password kafka-password)

cat "$given/kafka.properties" - >"$settings" <<SETTINGS

listeners=BROKER://${KAFKA_HOST:-}:${address##*:},CONTROLLER://$controller
advertised.listeners=BROKER://$address,CONTROLLER://$controller
controller.quorum.bootstrap.servers=$controller
log.dirs=$data
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,BROKER:SASL_PLAINTEXT
inter.broker.listener.name=BROKER
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.broker.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.broker.scram-sha-512.sasl.jaas.config=$modules.scram.ScramLoginModule required username="admin" password="$admin_password";
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$modules.plain.PlainLoginModule required username="admin" password="$admin_password" user_admin="$admin_password";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
SETTINGS

user() { # NAME FILE
    password=$(password "$2")
    [ -n "$password" ] || { echo "no password for $1: sh deploy/compose/secrets.sh" >&2 && exit 1; }
    printf 'SCRAM-SHA-512=[name=%s,password=%s]' "$1" "$password"
}

if [ ! -e "$data/meta.properties" ]; then
    admin=$(user admin kafka-password)
    customer=$(user customer_svc customer-kafka-password)
    product=$(user product_svc product-kafka-password)
    order=$(user order_svc order-kafka-password)
    notifier=$(user notifier_svc notifier-kafka-password)
    ops=$(user ops ops-kafka-password)
    # The zero byte keeps it from beginning with "-", which would be read as an option.
    cluster=$({ printf '\0' && head -c 15 /dev/urandom; } | base64 | tr '+/' '-_' | tr -d '=')
    touch "$data/has-users"
    "$kafka/bin/kafka-storage.sh" format --standalone --cluster-id "$cluster" --config "$settings" \
        --add-scram "$admin" --add-scram "$customer" --add-scram "$product" --add-scram "$order" \
        --add-scram "$notifier" --add-scram "$ops"
elif [ ! -e "$data/has-users" ]; then
    echo "these data were made without users: see Docker Compose in docs/how-to/upgrade.md" >&2
    exit 1
fi
exec "$kafka/bin/kafka-server-start.sh" "$settings"

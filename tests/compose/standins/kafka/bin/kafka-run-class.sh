#!/bin/bash
# Starts a class of Kafka, with the variables that the real script reads.
set -e
while [[ $1 == -* ]]; do [[ $1 == -name ]] && shift; shift; done
LOG_DIR=${LOG_DIR:-/opt/kafka/logs}
mkdir -p "$LOG_DIR"
# The options of deploy/local/java.py that make it start sooner.
exec java ${KAFKA_HEAP_OPTS:--Xmx256M} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
    --sun-misc-unsafe-memory-access=allow -Dkafka.logs.dir="$LOG_DIR" $KAFKA_LOG4J_OPTS -cp '/opt/kafka/libs/*' $KAFKA_OPTS "$@"

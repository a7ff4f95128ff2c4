#!/bin/sh
# Starts the gateway in compose.yaml. TRUSTED_PROXIES are the proxies in front of it, as addresses and networks with
# commas between: what those say of a client, in X-Forwarded-For and X-Forwarded-Proto, is believed, and passed on.
set -eu
proxies=$(echo "${TRUSTED_PROXIES:-}" | tr ',' ' ')
{
    for proxy in $proxies; do echo "set_real_ip_from $proxy;"; done
    echo 'real_ip_header X-Forwarded-For;'
    echo 'real_ip_recursive on;'
    echo 'geo $realip_remote_addr $is_proxied {'
    echo '    default 0;'
    for proxy in $proxies; do echo "    $proxy 1;"; done
    echo '}'
} >/tmp/proxies.conf
exec nginx -e /dev/stderr -c /gateway.conf -g 'daemon off;'

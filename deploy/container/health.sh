#!/bin/bash
# The health check of a container: exits with 0 if GET $2 on port $1 is answered with 200. Bash does that in a few
# milliseconds of processor time, where Python takes two hundred (measured).
exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
read -r _ status _ <&3
[ "$status" = 200 ]

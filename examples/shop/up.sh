#!/bin/sh
# Three containers on a network of their own: a front (nginx), an application (Node), data (Redis) that outlives them.
# up.sh builds and starts them; `up.sh down` removes them, and leaves the volume.
set -eu
here=$(dirname "$0")
dhow=${DHOW:-dhow}
port=${PORT:-8080}

down() {
  "$dhow" rm -f shop-front shop-app shop-data >/dev/null 2>&1 || true
  "$dhow" network rm shop >/dev/null 2>&1 || true
}

down
[ "${1:-}" = down ] && exit
for part in data app front; do "$dhow" build -q -t "shop-$part" "$here/$part"; done
"$dhow" network create shop
"$dhow" run -d --name shop-data --network shop --network-alias data -v shop-data:/var/lib/redis shop-data
"$dhow" run -d --name shop-app --network shop --network-alias app --restart on-failure shop-app
"$dhow" run -d --name shop-front --network shop -p "$port:8080" shop-front
echo "http://localhost:$port/"

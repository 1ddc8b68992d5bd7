#!/bin/sh
# Boots a Debian in a container, installs sipalertd as README.md says, and lets inside.sh judge it there.
set -eu

build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
packages=systemd,systemd-sysv,snmpd,snmp,libevent-core-2.1-7,libconfuse2,libjansson4,libpcre2-8-0,libsqlite3-0,libzstd1,zlib1g,liblzma5,libbz2-1.0,liblz4-1,libncursesw6,procps
base=$build/debian-root-$(echo "$packages" | cksum | cut -d' ' -f1)

[ "$(id -u)" = 0 ] || { echo "skipped: needs root"; exit 77; }
for tool in debootstrap systemd-nspawn; do
    command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done

if [ ! -e "$base/complete" ]; then
    rm -rf "$base"
    debootstrap --variant=minbase \
        --include="$packages" \
        bookworm "$base" >"$build/debootstrap.log" 2>&1 || { tail -5 "$build/debootstrap.log"; exit 1; }
    touch "$base/complete"
fi

root=$(mktemp -d "$build/root.XXXXXX")
trap 'rm -rf "$root"' EXIT
cp -a "$base/." "$root"

DESTDIR=$root cmake --install "$build" --prefix /usr >/dev/null
install -D -m 640 "$source/conf/sipalertd.conf" "$root/etc/sipalert/sipalertd.conf"
install -D -m 644 "$source/conf/snmpd.d/sipalert.conf" "$root/etc/snmp/snmpd.conf.d/sipalert.conf"
install -m 755 "$source/tests/service/inside.sh" "$root/inside.sh"
cp "$source/tests/corpora/kamailio-xlog-traditional/kamailio.log" "$root/corpus.log"
cat >"$root/etc/systemd/system/judge.service" <<'EOF'
[Unit]
Description=The test
[Service]
Type=oneshot
ExecStart=/bin/sh -c '/inside.sh >/verdict 2>&1; echo "exit $?" >>/verdict; systemctl --force --force poweroff'
[Install]
WantedBy=multi-user.target
EOF
ln -s /etc/systemd/system/judge.service "$root/etc/systemd/system/multi-user.target.wants/judge.service"
systemd-sysusers --root="$root"

timeout 240 systemd-nspawn --quiet --register=no --keep-unit --private-network --boot -D "$root" \
    >"$build/nspawn.log" 2>&1 </dev/null || :
cat "$root/verdict" 2>/dev/null || { echo "the container did not get to the test:"; tail -20 "$build/nspawn.log"; exit 1; }
tail -1 "$root/verdict" | grep -q '^exit 0$'

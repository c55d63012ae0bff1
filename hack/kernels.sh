#!/usr/bin/env bash
# Runs the engine's live tests on another Linux: `hack/kernels.sh 6.12 [PATTERN]` boots Debian's
# newest kernel of that series in qemu, without acceleration and on one CPU, with this machine's
# files below it (read-only). Slow: a minute to boot, ten times the time to test. Needs root and the
# packages qemu-system-x86, busybox-static and cpio.
set -euo pipefail
cd "$(dirname "$0")/.."
series=${1:?which kernel? for example: hack/kernels.sh 6.12} pattern=${2:-TestFeatures|TestFraming|TestBytesArriveAsSent|TestProxyForwards|TestProgramsThatAskFIONREAD}
mirror=http://deb.debian.org/debian
suites=(bookworm trixie trixie-backports)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/odi/kernels
work=$(mktemp -d /var/tmp/odi-kernel.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"

for tool in qemu-system-x86_64 busybox cpio; do
  command -v "$tool" >/dev/null && continue
  echo "kernels: $tool is missing: apt-get install --no-install-recommends qemu-system-x86 busybox-static cpio" >&2
  exit 1
done

# packages lists "path sha256" of the kernel packages of the series in a suite.
packages() {
  curl -sf "$mirror/dists/$1/main/binary-amd64/Packages.xz" | xz -dc | awk -v series="$series" '
    /^Filename: / { file = $2 }
    /^SHA256: /   { if (file ~ "/linux-(image|binary|modules)-" series "[.][0-9.]+[-+][^_]*amd64_" && file !~ /cloud|-rt-|dbg|unsigned/) print file, $2 }'
}

# fetch unpacks the newest kernel of the series into the cache and prints its folder.
fetch() {
  local suite list newest deb sum
  for suite in "${suites[@]}"; do
    list=$(packages "$suite") || continue
    [ -n "$list" ] || continue
    newest=$(sed -E 's/.*linux-[a-z]+-([^_]*)_.*/\1/' <<<"$list" | sort -V | tail -1)
    if [ ! -e "$cache/$newest/done" ]; then
      mkdir -p "$cache/$newest"
      while read -r deb sum; do
        [[ $deb == *-"$newest"_* ]] || continue
        curl -sf -o "$work/deb" "$mirror/$deb"
        echo "$sum  $work/deb" | sha256sum --quiet -c
        dpkg-deb -x "$work/deb" "$cache/$newest"
      done <<<"$list"
      touch "$cache/$newest/done"
    fi
    echo "$cache/$newest"
    return
  done
  echo "kernels: Debian has no kernel $series in ${suites[*]}" >&2
  return 1
}

# initrd writes a root file system that mounts this machine's and runs what is in the share.
initrd() {
  local kernel=$1 root=$work/root n=10 module file
  mkdir -p "$root"/{bin,mod,proc,sys,dev,host,mnt}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci netfs fscache 9pnet 9pnet_virtio 9p; do
    file=$(find "$kernel" -name "$module.ko*" | head -1)
    case $file in
    '') continue ;; # built in
    *.xz) xz -dc "$file" >"$root/mod/$n-$module.ko" ;;
    *) cp "$file" "$root/mod/$n-$module.ko" ;;
    esac
    n=$((n + 1))
  done
  cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in /mod/*; do insmod "$m"; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /host
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /mnt
for d in proc sys dev; do mount --bind /$d /host/$d; done
for d in tmp run var/log var/lib/nginx; do mount -t tmpfs none /host/$d; done
mount -t cgroup2 none /host/sys/fs/cgroup
mkdir -p /dev/shm /host/tmp/share && mount -t tmpfs none /dev/shm && mount --bind /mnt /host/tmp/share
ip link set lo up
chroot /host /bin/bash /tmp/share/run
poweroff -f
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
}

kernel=$(fetch)
initrd "$kernel"
share=$work/share
mkdir -p "$share"
CGO_ENABLED=0 go test -c -o "$share/bpf.test" ./bpf
CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$share/hop" ./bpf/testdata/hop
cp -r bpf/testdata "$share/testdata"
cat >"$share/run" <<RUN
export HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ODI_TEST_HOP=/tmp/share/hop
cd /tmp/share
./bpf.test -test.v -test.timeout 30m -test.run '$pattern'
echo \$? >/tmp/share/status
RUN
echo "=== Linux $(basename "$kernel")"
qemu-system-x86_64 -M q35 -cpu max -smp 1 -m 3G -display none -serial stdio -no-reboot -nic none \
  -kernel "$(find "$kernel" -name "vmlinuz*" | head -1)" -initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 mitigations=off" \
  -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=host,mount_tag=host \
  -fsdev "local,id=share,path=$share,security_model=none" -device virtio-9p-pci,fsdev=share,mount_tag=share </dev/null
[ "$(cat "$share/status" 2>/dev/null)" = 0 ]

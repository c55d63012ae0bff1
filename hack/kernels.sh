#!/usr/bin/env bash
# Runs the engine's live tests on another Linux: `hack/kernels.sh 6.12 [ARCH] [PATTERN]` boots
# Debian's newest kernel of that series in qemu, without acceleration and on one CPU. Slow: half a
# minute to boot, ten times the time to test. ARCH is amd64, with this machine's files below it
# (read-only), or arm64, with nothing but the tests: those that run other programs fail there. Needs
# root.
set -euo pipefail
cd "$(dirname "$0")/.."
series=${1:?which kernel? for example: hack/kernels.sh 6.12} arch=${2:-amd64}
case $arch in
amd64)
  package=qemu-system-x86 emulator=qemu-system-x86_64 machine=(-M q35) console=ttyS0
  tests='TestFeatures|TestFraming|TestBytesArriveAsSent|TestProxyForwards|TestProgramsThatAskFIONREAD|TestAnswersBy'
  tests+='|TestFlows$|TestFlowsThatFail|TestCurlAsksPythonOverTLS|TestThreadsLinkOverTLS|TestSessionsOverMemory'
  tests+='|TestEndsOverTLS/(until|pieces|cut|nothing|reset|die)' # slow: a client that waits half a second, too short here
  ;;
arm64)
  package=qemu-system-arm emulator=qemu-system-aarch64 machine=(-M virt) console=ttyAMA0
  tests='TestFeatures|TestFraming|TestBytesArriveAsSent|TestChains/(a_Go|Go_asks_Go_over)'
  ;;
*)
  echo "kernels: no machine for $arch; there are amd64 and arm64" >&2
  exit 2
  ;;
esac
pattern=${3:-$tests}
mirror=http://deb.debian.org/debian
suites=(bookworm trixie trixie-backports)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/odi/kernels
work=$(mktemp -d /var/tmp/odi-kernel.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"

hack/setup.sh "$package" cpio curl xz-utils

# packages lists "path sha256" of the packages of a suite whose file's name matches.
packages() {
  curl -sf "$mirror/dists/$1/main/binary-$arch/Packages.xz" | xz -dc | awk -v name="$2" '
    /^Filename: / { file = $2 }
    /^SHA256: /   { if (file ~ name && file !~ /cloud|-rt-|dbg|unsigned/) print file, $2 }'
}

# unpack adds a package, "path sha256", to a folder.
unpack() {
  curl -sf -o "$work/deb" "$mirror/$1"
  echo "$2  $work/deb" | sha256sum --quiet -c
  dpkg-deb -x "$work/deb" "$3"
}

# fetch unpacks the newest kernel of the series and a shell into the cache and prints the folder.
fetch() {
  local suite list newest folder deb sum
  for suite in "${suites[@]}"; do
    list=$(packages "$suite" "/linux-(image|binary|modules)-$series[.][0-9.]+[-+][^_]*${arch}_") || continue
    [ -n "$list" ] || continue
    newest=$(sed -E 's/.*linux-[a-z]+-([^_]*)_.*/\1/' <<<"$list" | sort -V | tail -1)
    folder=$cache/$newest
    if [ ! -e "$folder/done" ]; then
      mkdir -p "$folder"
      list=$(grep -F -- "-${newest}_" <<<"$list"; packages trixie /busybox-static_)
      while read -r deb sum; do unpack "$deb" "$sum" "$folder"; done <<<"$list"
      touch "$folder/done"
    fi
    echo "$folder"
    return
  done
  echo "kernels: Debian has no kernel $series for $arch in ${suites[*]}" >&2
  return 1
}

# initrd writes a root file system that runs what is in the share, on amd64 below this machine's files.
initrd() {
  local kernel=$1 root=$work/root n=10 module file
  mkdir -p "$root"/{bin,mod,proc,sys,dev,tmp,host,mnt}
  cp "$kernel/usr/bin/busybox" "$root/bin/busybox"
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
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 share /mnt
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /dev/shm && mount -t tmpfs none /dev/shm
ip link set lo up
if mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose host /host; then
  for d in tmp run var/log var/lib/nginx; do mount -t tmpfs none /host/$d; done
  for d in proc sys dev; do mount --rbind /$d /host/$d; done
  mkdir -p /host/tmp/share && mount --bind /mnt /host/tmp/share
  chroot /host /bin/bash /tmp/share/run
else
  mount -t tmpfs none /tmp && mkdir -p /tmp/share && mount --bind /mnt /tmp/share
  sh /tmp/share/run
fi
poweroff -f
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
}

kernel=$(fetch)
initrd "$kernel"
share=$work/share
mkdir -p "$share"
export CGO_ENABLED=0 GOARCH=$arch
go test -c -o "$share/bpf.test" ./bpf
go build -trimpath -ldflags "-s -w" -o "$share/hop" ./bpf/testdata/hop
cp -r bpf/testdata "$share/testdata"
mkdir "$share/hack" && cp hack/packages.txt "$share/hack/" # what the tests may start
cat >"$share/run" <<RUN
export HOME=/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ODI_TEST_HOP=/tmp/share/hop
cd /tmp/share
./bpf.test -test.v -test.timeout 30m -test.run '$pattern'
echo \$? >/tmp/share/status
RUN
shares=(-fsdev "local,id=share,path=$share,security_model=none" -device virtio-9p-pci,fsdev=share,mount_tag=share)
[ "$arch" != amd64 ] || shares+=(-fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap" -device virtio-9p-pci,fsdev=host,mount_tag=host)
echo "=== Linux $(basename "$kernel")"
"$emulator" "${machine[@]}" -cpu max -smp 1 -m 3G -display none -serial stdio -no-reboot -nic none "${shares[@]}" \
  -kernel "$(find "$kernel" -name 'vmlinuz*' | head -1)" -initrd "$work/initrd" \
  -append "console=$console quiet panic=-1 mitigations=off" </dev/null
[ "$(cat "$share/status" 2>/dev/null)" = 0 ]

# Debian systems in folders, made with debootstrap, and commands that are run in them. Sourced at the top of the tree by
# tests/fresh/run, cmake/package and tests/packaging/run, which may set `cache`, a folder for ccache. Needs root, because
# of chroot and of mounts, which nobody else sees and which end with the command.

readonly roots=$PWD/build/fresh roots_home=$PWD/tests/fresh
: "${cache:=}"

if (( EUID != 0 )); then
  echo "${0##*/}: needs root for debootstrap and chroot; run it as root" >&2
  exit 1
fi
if ! unshare --mount true 2>/dev/null; then
  echo "${0##*/}: may not mount here; run it on a machine, or in a container, whose root may" >&2
  exit 1
fi
if ! command -v debootstrap >/dev/null; then
  echo "${0##*/}: needs debootstrap: apt-get install debootstrap" >&2
  exit 1
fi
mkdir -p "$roots"

# The archive that this machine's own packages come from.
mirror() {
  cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -oE '^(deb|URIs:) .*https?://[^ ]*/debian/?( |$)' | grep -oE 'https?://[^ ]*' | head -n 1
}

# Takes gRPC and protobuf from experimental, and all else from unstable.
experimental() {  # experimental ROOT
  echo "deb $(mirror) experimental main" >"$1/etc/apt/sources.list.d/experimental.list"
  printf '%s\n' 'Package: src:grpc:any src:protobuf:any' 'Pin: release a=experimental' 'Pin-Priority: 990' \
    >"$1/etc/apt/preferences.d/grpc"
  echo 'Acquire::Check-Valid-Until "false";' >"$1/etc/apt/apt.conf.d/mirror"  # a mirror's copy may be some weeks old
}

base() {  # base SUITE: what debootstrap makes, kept as an archive
  local archive=$roots/$1.tar root=$roots/$1.new
  [[ ! -s $archive ]] || return 0
  rm -rf "$root"
  mkdir -p "$root/etc/dpkg/dpkg.cfg.d"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/thrown-away"  # as images for containers have it
  debootstrap --variant=minbase --include=ca-certificates,git "${1/#experimental/sid}" "$root" "$(mirror)" \
    >"$roots/$1.log" 2>&1 || {
    tail -n 5 "$roots/$1.log" >&2
    echo "${0##*/}: debootstrap failed (see $roots/$1.log)" >&2
    return 1
  }
  [[ $1 != experimental ]] || experimental "$root"
  tar -C "$root" -cf "$archive.part" .
  rm -rf "$root"
  mv "$archive.part" "$archive"
}

fresh_root() {  # fresh_root SUITE [NAME]: a new one in $roots/NAME, with a clean clone in /home/pictory
  local root=$roots/${2:-$1}
  base "$1"
  rm -rf --one-file-system "$root"
  mkdir "$root"
  tar -C "$root" -xf "$roots/$1.tar"
  git clone --quiet --no-hardlinks . "$root/home/pictory"
}

kept_root() {  # kept_root SUITE NAME: the one that was there, or a new one; with what is committed now
  local home=$roots/$2/home/pictory
  [[ -d $home/.git ]] || fresh_root "$1" "$2"
  git -C "$home" fetch --quiet "$PWD" HEAD
  git -C "$home" reset --quiet --hard FETCH_HEAD
}

# unshare passes over SIGTERM and SIGINT while what it started runs, and takes that along when it is killed itself.
child=''
stop() { [[ -z $child ]] || kill -KILL "$child"; exit "$1"; }
trap 'stop 130' INT
trap 'stop 143' TERM
trap '[[ -z $child ]] || kill -KILL "$child" 2>/dev/null' EXIT

inside() {  # inside NAME COMMAND: in the root $roots/NAME
  unshare --mount --pid --fork --kill-child "$roots_home/inside" "$roots/$1" "$cache" "$2" <&0 &
  child=$!
  local code=0
  wait "$child" || code=$?
  child=''
  return "$code"
}

boot() {  # boot NAME: starts the root $roots/NAME as a machine; `machine` is its process 1
  unshare --mount --pid --fork --uts --ipc --cgroup --net --kill-child "$roots_home/boot" "$roots/$1" \
    >"$roots/$1.boot.log" 2>&1 &
  child=$!
  machine=''
  until [[ -n $machine && $(cat "/proc/$machine/comm" 2>/dev/null) == systemd ]]; do
    kill -0 "$child" || { cat "$roots/$1.boot.log" >&2; return 1; }
    machine=$(pgrep --parent "$child" || true)
  done
}

halt() {  # ends it, and all that runs there
  kill -KILL "$child"
  wait "$child" 2>/dev/null || true
  child=''
}

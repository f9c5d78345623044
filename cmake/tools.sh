# Test tools that Debian 12 does not package, from their own registries, into build/tools.
# Sourced by cmake/check: what cannot be had is added to the array `left_out`.

tools=$PWD/build/tools
mkdir -p "$tools"
export PATH=$tools/bin:$tools/node_modules/.bin:$PATH

readonly grpcurl_version=v1.9.4
readonly buf_version=1.75.0

# grpcurl needs a newer Go than Debian's 1.19.
if ! [[ -x $tools/bin/grpcurl ]]; then
  if command -v go >/dev/null && GOBIN=$tools/bin GOFLAGS=-mod=mod \
      go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$grpcurl_version" >"$tools/grpcurl.log" 2>&1; then
    :
  else
    left_out+=("grpcurl tests: grpcurl $grpcurl_version could not be built (needs Go 1.23 or newer; see $tools/grpcurl.log)")
  fi
fi

if ! [[ -x $tools/node_modules/.bin/buf ]]; then
  if command -v npm >/dev/null &&
      npm install --silent --no-fund --no-audit --prefix "$tools" "@bufbuild/buf@$buf_version" >"$tools/buf.log" 2>&1; then
    :
  else
    left_out+=("proto lint: buf $buf_version could not be installed (needs npm; see $tools/buf.log)")
  fi
fi

# Test tools that Debian does not package, from their own registries, into build/tools; and what the
# example clients need, into build/interop, and callers with generated code, into build/callers. The arrays
# `interop` and `callers` name the languages that can be tested, and `mesh` says whether the tests behind Envoy
# can be run. Sourced by cmake/check: what cannot be had is added to the array `left_out`; java is for --all.

tools=$PWD/build/tools
mkdir -p "$tools"
export PATH=$tools/bin:$tools/node_modules/.bin:$PATH

readonly buf_version=1.75.0
readonly reflection_clients=(grpc-js-reflection-client@1.4.2 grpc-reflection-js@0.3.0 @grpc/grpc-js@1.14.7 @grpc/proto-loader@0.8.1)

if ! cmake/grpcurl -version >"$tools/grpcurl.log" 2>&1; then
  left_out+=("grpcurl tests: grpcurl could not be built (needs Go 1.26, or python3 to fetch it; see $tools/grpcurl.log)")
fi

if ! cmake/health-probe -version >"$tools/health-probe.log" 2>&1; then
  left_out+=("health probe: grpc-health-probe could not be built (needs Go 1.26, or python3 to fetch it; see $tools/health-probe.log)")
fi

if ! [[ -x $tools/node_modules/.bin/buf ]]; then
  if command -v npm >/dev/null &&
      npm install --silent --no-fund --no-audit --prefix "$tools" "@bufbuild/buf@$buf_version" >"$tools/buf.log" 2>&1; then
    :
  else
    left_out+=("proto lint: buf $buf_version could not be installed (needs npm; see $tools/buf.log)")
  fi
fi

if ! [[ -d $tools/node_modules/grpc-reflection-js ]]; then
  if command -v npm >/dev/null &&
      npm install --silent --no-fund --no-audit --prefix "$tools" "${reflection_clients[@]}" >"$tools/reflection.log" 2>&1; then
    :
  else
    left_out+=("reflection from Node: the clients could not be installed (needs npm; see $tools/reflection.log)")
  fi
fi

if ! [[ -d $tools/standardwebhooks ]]; then
  if python3 -m pip install --quiet --disable-pip-version-check --target "$tools/standardwebhooks" \
      standardwebhooks==1.1.0 >"$tools/standardwebhooks.log" 2>&1; then
    :
  else
    left_out+=("notifications: the library of Standard Webhooks could not be had (needs pip; see $tools/standardwebhooks.log)")
  fi
fi

interop=()
languages=(python:python3 node:npm typescript:npm go:python3)
! $all || languages+=(cpp:cmake java:mvn rust:cargo)  # take long, or download much
setting_up=()
for language in "${languages[@]}"; do  # at once, for they wait for registries
  language=${language%:*}
  tests/interop/run --set-up "$language" >"$tools/interop-$language.log" 2>&1 &
  setting_up+=($!)
done
for i in "${!languages[@]}"; do
  program=${languages[i]#*:} language=${languages[i]%:*}
  if wait "${setting_up[i]}"; then
    interop+=("$language")
  else
    left_out+=("interop tests, $language: the example could not be set up (needs $program; see $tools/interop-$language.log)")
  fi
done

callers=()
languages=(go:python3 python:python3 node:npm)
! $all || languages+=(java:mvn)  # downloads much
for language in "${languages[@]}"; do
  program=${language#*:} language=${language%:*}
  if command -v "$program" >/dev/null && tests/callers/run --set-up "$language" >"$tools/callers-$language.log" 2>&1; then
    callers+=("$language")
  else
    left_out+=("callers, $language: what generates its code could not be had (needs $program, or for Go a Go 1.26; see $tools/callers-$language.log)")
  fi
done

mesh=false
if [[ -x $tools/bin/grpcurl ]] && tests/mesh/run --set-up >"$tools/mesh.log" 2>&1; then
  mesh=true
else
  left_out+=("tests behind Envoy: Envoy or what calls through it could not be had (needs grpcurl, python3 and npm; see $tools/mesh.log)")
fi

# The Debian packages that cmake/package makes by CPack: pictory-gateway (component server), pictory (cli) and
# libpictory-jobs-dev (client). What is installed where stands beside what is installed.
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL server cli client)
set(CPACK_SET_DESTDIR ON)  # for what goes into /etc
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The makers of pictory-gateway <pictory-gateway@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own, the first line of what describes it
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME pictory-gateway)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SERVER_DESCRIPTION "gRPC gateway to Pictory's video jobs
Offers Pictory's asynchronous video jobs as gRPC, remembers every job and never
pays twice for one request. Without an account a built-in sandbox stands in.")
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS
  "ca-certificates, init-system-helpers, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS "pictory, ffmpeg")
set(debian ${PROJECT_SOURCE_DIR}/server/deploy/debian)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_CLI_PACKAGE_NAME pictory)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION net)
set(CPACK_COMPONENT_CLI_DESCRIPTION "command line for pictory-gateway
Submits Pictory's video jobs to a gateway, watches them, and brings the results.")
set(CPACK_DEBIAN_CLI_PACKAGE_DEPENDS ca-certificates)

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME libpictory-jobs-dev)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_CLIENT_DESCRIPTION "C++ client library of pictory-gateway, and its .proto files
CMake: find_package(PictoryJobs), PictoryJobs::client. The .proto files, for code
in other languages, are in /usr/share/pictory-jobs/protos.")
# gRPC's CMake package of Debian 13 looks for its compiler, too; downloads are by libcurl.
set(CPACK_DEBIAN_CLIENT_PACKAGE_DEPENDS
  "libgrpc++-dev, libprotobuf-dev, libabsl-dev, libcurl4-openssl-dev | libcurl-dev, pkg-config, \
protobuf-compiler, protobuf-compiler-grpc")
set(CPACK_DEBIAN_CLIENT_PACKAGE_SUGGESTS cmake)
include(CPack)

# Every library the project uses, all of them packages of Debian 12 and 13 (cmake/install-deps names them).

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
# protobuf of today brings a CMake package, which gRPC's asks for as well; Debian 12 and 13 leave it to CMake.
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_package(Protobuf REQUIRED)
endif()
find_package(absl REQUIRED)
# gRPC's package asks pkg-config for RE2 a dozen times, and each time pkg-config reads the files of all of
# Abseil, for minutes. It does not ask if the target is there.
find_library(RE2_LIBRARY re2)
if(RE2_LIBRARY AND NOT TARGET re2::re2)
  add_library(re2::re2 UNKNOWN IMPORTED)
  set_target_properties(re2::re2 PROPERTIES IMPORTED_LOCATION ${RE2_LIBRARY})
  set(re2_FOUND TRUE)
endif()
find_package(gRPC CONFIG QUIET)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(SQLiteCpp CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(RapidJSON CONFIG QUIET)
if(NOT RapidJSON_FOUND)
  find_path(RapidJSON_INCLUDE_DIRS rapidjson/rapidjson.h REQUIRED)
endif()

# Neither brings a CMake package in both of them. toml++ is used as headers alone.
find_path(TOMLPLUSPLUS_INCLUDE_DIRS toml++/toml.h REQUIRED)
find_path(CJOSE_INCLUDE_DIRS cjose/cjose.h REQUIRED)
find_library(CJOSE_LIBRARY cjose REQUIRED)
find_library(JANSSON_LIBRARY jansson REQUIRED)

# RapidJSON 1.1 holds an assignment to a const member, which nobody can call and newer clangs refuse.
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  find_path(RapidJSON_ORIGINAL rapidjson/document.h REQUIRED)
  set(RapidJSON_INCLUDE_DIRS ${CMAKE_BINARY_DIR}/rapidjson)
  file(COPY ${RapidJSON_ORIGINAL}/rapidjson DESTINATION ${RapidJSON_INCLUDE_DIRS} PATTERN document.h EXCLUDE)
  file(READ ${RapidJSON_ORIGINAL}/rapidjson/document.h document)
  string(REPLACE "{ s = rhs.s; length = rhs.length; }" "= delete;" document "${document}")
  file(CONFIGURE OUTPUT ${RapidJSON_INCLUDE_DIRS}/rapidjson/document.h CONTENT "${document}" @ONLY)
endif()

# Debian's gRPC 1.51 ships pkg-config files only; newer ones bring a CMake package.
if(NOT TARGET gRPC::grpc++)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
  add_library(gRPC::grpc++ ALIAS PkgConfig::GRPCPP)
endif()
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

add_library(pictory_rapidjson INTERFACE)
target_include_directories(pictory_rapidjson SYSTEM INTERFACE ${RapidJSON_INCLUDE_DIRS})

add_library(pictory_tomlplusplus INTERFACE)
target_include_directories(pictory_tomlplusplus SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIRS})
add_library(pictory_cjose INTERFACE)
target_include_directories(pictory_cjose SYSTEM INTERFACE ${CJOSE_INCLUDE_DIRS})
target_link_libraries(pictory_cjose INTERFACE ${CJOSE_LIBRARY} ${JANSSON_LIBRARY} OpenSSL::Crypto)

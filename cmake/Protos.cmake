# Libraries of generated code. Each takes .proto files by their names below the folder that calls it, and
# generates into the build folder that belongs to it.
#
#   proto_library(a PROTOS x.proto y.proto LINKS b)  ->  static library a of messages
#   grpc_library(c PROTOS y.proto LINKS a)           ->  static library c of stubs and service classes
#
# IMPORTS names other folders that imports are looked up in.

# One plugin's output of one file. `endings` are those of the files it makes, of which the first is compiled.
function(_generate target proto plugin endings)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${out})
  set(folders ${CMAKE_CURRENT_SOURCE_DIR} ${ARG_IMPORTS})
  list(TRANSFORM folders APPEND /*.proto OUTPUT_VARIABLE globs)
  file(GLOB_RECURSE imported CONFIGURE_DEPENDS ${globs})
  list(TRANSFORM folders PREPEND -I)
  string(REGEX REPLACE "\\.proto$" "" stem ${proto})
  list(TRANSFORM endings PREPEND ${out}/${stem} OUTPUT_VARIABLE made)
  add_custom_command(
    OUTPUT ${made}
    COMMAND protobuf::protoc ${folders} --${plugin}_out=${out} ${ARGN} ${proto}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    DEPENDS ${imported} VERBATIM)
  list(GET made 0 source)
  target_sources(${target} PRIVATE ${source})
endfunction()

function(proto_library target)
  cmake_parse_arguments(ARG "" "" "PROTOS;LINKS;IMPORTS" ${ARGN})
  add_library(${target} STATIC)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)  # generated files repeat names of their own
  target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/gen)
  target_link_libraries(${target} PUBLIC ${ARG_LINKS} protobuf::libprotobuf Threads::Threads)
  foreach(proto ${ARG_PROTOS})
    _generate(${target} ${proto} cpp ".pb.cc;.pb.h")
  endforeach()
endfunction()

function(grpc_library target)
  cmake_parse_arguments(ARG "" "" "PROTOS;LINKS;IMPORTS" ${ARGN})
  add_library(${target} STATIC)
  target_link_libraries(${target} PUBLIC ${ARG_LINKS} gRPC::grpc++)
  foreach(proto ${ARG_PROTOS})
    _generate(${target} ${proto} grpc ".grpc.pb.cc;.grpc.pb.h"
      --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN})
  endforeach()
endfunction()

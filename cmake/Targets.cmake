# gateway_library(base SOURCES a.cc LINKS x)  ->  static library gateway_base
# gateway_test(base SOURCES a_test.cc LINKS x) ->  test program base_test, run by ctest
#
# Presets for what is built and not edited compile several files of a target as one unit, so that no two files of a
# folder may have a helper of the same name, in an unnamed namespace either: cmake/check fails on it.
#
# A library sees only what it links: that is how the layers of server/ are kept (see tests/layers).

function(gateway_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  set(target gateway_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_link_libraries(${target} PUBLIC ${ARG_LINKS} PRIVATE pictory_toolchain)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR}/server)
    precompile(${target} pictory_headers)
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${ARG_LINKS})
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR}/server)
  endif()
endfunction()

function(gateway_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  set(target ${name}_test)
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main pictory_toolchain)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/server ${PROJECT_SOURCE_DIR}/tests)
  precompile(${target} pictory_test_headers)
  target_compile_definitions(${target} PRIVATE
    PICTORY_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
  add_test(NAME ${name} COMMAND ${target})
  # Such a test computes, and takes the places of three that wait for programs (cmake/check).
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 300 PROCESSORS 3)
endfunction()

# Headers that most units include, read once instead of by each of them, where PICTORY_PRECOMPILE is on. They are
# those of libraries and of generated code, never our own: a unit says what it includes all the same, and builds
# without this too.
#
#   precompiled_headers(name HEADERS... LINKS x)   makes a set of headers
#   precompile(target name)                        has a target use it

option(PICTORY_PRECOMPILE "Read common headers once" OFF)

# ccache asks for it.
if(PICTORY_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-fpch-preprocess)
endif()

function(precompiled_headers name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINKS" ${ARGN})
  if(NOT PICTORY_PRECOMPILE)
    return()
  endif()
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} pictory_toolchain)
endfunction()

function(precompile target name)
  if(PICTORY_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

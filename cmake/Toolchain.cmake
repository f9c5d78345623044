# Language level, warnings, hardening and sanitizers: what holds for every target of ours.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

set(PICTORY_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
option(PICTORY_WERROR "Treat warnings as errors" ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/cmake/cached-compiler ${CCACHE})
endif()

add_library(pictory_toolchain INTERFACE)
target_compile_options(pictory_toolchain INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  $<$<BOOL:${PICTORY_WERROR}>:-Werror>
  # The packaged libraries have the names that clang too gave to constrained templates up to 17, and
  # libstdc++ 12 itself uses what it marks as deprecated.
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-fclang-abi-compat=17;-Wno-deprecated-declarations>
  -fstack-protector-strong)
# Fortification needs the optimizer, and gets in the sanitizers' way.
if(NOT PICTORY_SANITIZE)
  target_compile_definitions(pictory_toolchain INTERFACE
    $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
target_link_options(pictory_toolchain INTERFACE -pie -Wl,-z,relro,-z,now)

if(PICTORY_SANITIZE)
  set(sanitize -fsanitize=${PICTORY_SANITIZE})
  if(PICTORY_SANITIZE MATCHES undefined)
    # What is found ends the program, so that no test can pass over it.
    list(APPEND sanitize -fno-sanitize-recover=all)
  endif()
  add_compile_options(${sanitize} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PICTORY_SANITIZE})
  if(PICTORY_SANITIZE MATCHES thread)
    # The sanitizer does not know fences; Asio's own come on top of its mutexes, and only for handlers
    # that run without any.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    # protobuf's map fields are two words longer under the sanitizer, but not in the packaged library.
    add_compile_options(-U__SANITIZE_THREAD__)
  endif()
endif()

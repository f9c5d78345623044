# `cmake --install . --component client` puts the library, its headers and its CMake package in place.
#
# The package is written by hand instead of exported: what the library is made of (generated code,
# base) are build targets with build paths, which an export would have to carry along.
include(CMakePackageConfigHelpers)

set(PICTORY_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/PictoryJobs)
# In link order. The package names them the same way.
set(PICTORY_CLIENT_ARCHIVES
  pictory_client pictory_grpc pictory_protos gateway_base pictory_error_details)

install(TARGETS ${PICTORY_CLIENT_ARCHIVES} pictory_download
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/pictory_jobs COMPONENT client)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/../include/
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)
install(DIRECTORY ${PROJECT_BINARY_DIR}/protos/gen/pictory/jobs/v1
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/pictory/jobs COMPONENT client
  FILES_MATCHING PATTERN "*.pb.h" PATTERN "*.grpc.pb.h" EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/protos/pictory
  DESTINATION ${CMAKE_INSTALL_DATADIR}/pictory-jobs/protos COMPONENT client FILES_MATCHING PATTERN "*.proto")

install(FILES ${CMAKE_CURRENT_LIST_DIR}/../service_config.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/pictory_jobs COMPONENT client)

set(data_dir ${CMAKE_INSTALL_DATADIR}/pictory_jobs)
set(include_dir ${CMAKE_INSTALL_INCLUDEDIR})
set(archive_dir ${CMAKE_INSTALL_LIBDIR}/pictory_jobs)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/PictoryJobsConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/PictoryJobsConfig.cmake
  INSTALL_DESTINATION ${PICTORY_PACKAGE_DIR}
  PATH_VARS include_dir archive_dir data_dir)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/PictoryJobsConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/PictoryJobsConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/PictoryJobsConfigVersion.cmake
  DESTINATION ${PICTORY_PACKAGE_DIR} COMPONENT client)

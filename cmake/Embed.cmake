# cmake -D IN=file -D OUT=x.cc -D HEADER=x.h -D NAMESPACE=n -D FUNCTION=F -P Embed.cmake
#
# Writes a source file with the bytes of a file, which `std::string_view n::F()` of x.h returns.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include \"${HEADER}\"

std::string_view ${NAMESPACE}::${FUNCTION}() {
  static constexpr unsigned char kBytes[] = {
${bytes}};
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}
")

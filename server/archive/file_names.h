// These functions say how a file is called in the archive. A plan names it before its bytes are
// known, and pictures are of several kinds: their ending is that of the bytes. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gateway::archive {

// So many of a file's first bytes tell what it is.
inline constexpr std::size_t kFirstBytes = 12;

// The name of a file that was planned under `planned` and begins with these bytes.
std::string NameByBytes(const std::string& planned, std::string_view first_bytes);

// All names that a file which was planned under `planned` may have; `planned` is the first.
std::vector<std::string> NamesOf(const std::string& planned);

}  // namespace gateway::archive

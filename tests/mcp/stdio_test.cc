#include "mcp/stdio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "mcp/mcp_house.h"

namespace gateway::mcp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Sends the text, ends the input, and gives all that was answered.
std::string Converse(Server& server, std::string_view text) {
  int to[2];
  int from[2];
  EXPECT_EQ(pipe(to), 0);
  EXPECT_EQ(pipe(from), 0);
  std::thread writer([&] {
    while (!text.empty()) {
      const ssize_t count = write(to[1], text.data(), text.size());
      if (count <= 0) break;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    close(to[1]);
  });
  std::string heard;
  std::thread reader([&] {
    char piece[4096];
    for (ssize_t count; (count = read(from[0], piece, sizeof piece)) > 0;) {
      heard.append(piece, static_cast<std::size_t>(count));
    }
  });
  EXPECT_TRUE(ServeLines(server, to[0], from[1]));
  close(from[1]);
  writer.join();
  reader.join();
  close(to[0]);
  close(from[0]);
  return heard;
}

TEST(ServeLines, AnswersWhatWasAskedBeforeTheEnd) {
  House house({});
  std::string text;
  for (int i = 0; i < 500; ++i) {
    text += R"({"jsonrpc":"2.0","id":)" + std::to_string(i) + R"(,"method":"ping"})" + "\n";
  }
  const std::string heard = Converse(house.server, text);
  for (int i = 0; i < 500; ++i) {
    EXPECT_THAT(
        heard, HasSubstr("{\"jsonrpc\":\"2.0\",\"id\":" + std::to_string(i) + ",\"result\":{}}\n"));
  }
}

TEST(ServeLines, PassesOverWhatIsMalformed) {
  House house({});
  const std::string heard = Converse(
      house.server, "nonsense\n\n[]\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n{\"cut");
  EXPECT_THAT(heard, AllOf(HasSubstr("-32700"), HasSubstr("-32600"),
                           HasSubstr("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n")));
  EXPECT_EQ(std::count(heard.begin(), heard.end(), '\n'), 3);
}

TEST(ServeLines, RefusesALineThatIsTooLong) {
  House house({});
  const std::string heard =
      Converse(house.server, std::string(3 * limits::kMcpMessageMaxBytes, 'x') + "\n" +
                                 R"({"jsonrpc":"2.0","id":1,"method":"ping"})" + "\n");
  EXPECT_THAT(heard, AllOf(HasSubstr("-32600"), HasSubstr("\"id\":1,\"result\"")));
  EXPECT_EQ(std::count(heard.begin(), heard.end(), '\n'), 2);
}

}  // namespace
}  // namespace gateway::mcp

// JSON that must not be believed. Every body would be good news (a job taken, a render finished) if
// its fault were overlooked, so that whoever overlooks it is caught.
#pragma once

#include <string>
#include <vector>

namespace gateway::test {

inline constexpr char kLongString[] = "a string of five megabytes";

struct HostileBody {
  std::string name;
  std::string json;
};

// Good news with room for one more member of `data`.
inline std::string GoodNewsWith(const std::string& member) {
  return R"({"success":true,"data":{"jobId":"x","status":"completed","videoURL":"https://v/x.mp4",)" +
         member + "}}";
}

inline std::string Repeated(const std::string& text, int times) {
  std::string all;
  all.reserve(text.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// Each under 10 MB.
inline std::vector<HostileBody> HostileBodies() {
  const std::string good = GoodNewsWith("\"a\":1");
  const auto poisoned = [](const std::string& value) { return GoodNewsWith("\"a\":" + value); };
  return {
      {"a million nested arrays", poisoned(std::string(1'000'000, '[') + std::string(1'000'000, ']'))},
      {"a million nested objects", poisoned(Repeated("{\"a\":", 1'000'000) + "1" +
                                            std::string(1'000'000, '}'))},
      {"a million arrays that never end", poisoned(std::string(1'000'000, '['))},
      {"two ids", GoodNewsWith("\"jobId\":\"y\"")},
      {"two states", GoodNewsWith("\"status\":\"failed\"")},
      {"two states, one escaped", GoodNewsWith("\"stat\\u0075s\":\"failed\"")},
      {"two successes", R"({"success":true,"success":false,)" + good.substr(1)},
      {"a number of 47 bytes that crashes some parsers",
       poisoned("128.74836467836484838364836483643636483648e-336")},
      {"a number of 100,000 digits", poisoned(std::string(100'000, '9'))},
      {"a number no double holds", poisoned("1e400")},
      {"NaN", poisoned("NaN")},
      {"Infinity", poisoned("-Infinity")},
      {"hexadecimal", poisoned("0x10")},
      {"a byte that is no UTF-8", poisoned("\"\xff\"")},
      {"UTF-8 longer than it need be", poisoned("\"\xc0\xaf\"")},
      {"UTF-8 cut", poisoned("\"\xe2\x82\"")},
      {"a raw surrogate", poisoned("\"\xed\xa0\x80\"")},
      {"a high surrogate alone", poisoned(R"("\ud800")")},
      {"a low surrogate alone", poisoned(R"("\udc00")")},
      {"a raw NUL in a string", poisoned(std::string("\"a\0b\"", 5))},
      {"a raw line break in a string", poisoned("\"a\nb\"")},
      {"text after the end", good + "x"},
      {"a second object after the end", good + good},
      {"a NUL and a second object after the end", good + std::string(1, '\0') + good},
      {"a byte order mark", "\xef\xbb\xbf" + good},
      {"a comment", "/* */" + good},
      {"a comma too many", poisoned("[1,]")},
      {"single quotes", "{'success':true," + good.substr(1)},
      {"five million values", poisoned("[" + Repeated("0,", 4'500'000) + "0]")},
      {kLongString, poisoned('"' + std::string(5'000'000, 's') + '"')},
      {"a key of a megabyte", GoodNewsWith('"' + std::string(1'000'000, 'k') + "\":1")},
      {"cut in a key", good.substr(0, good.find("videoURL") + 3)},
      {"cut before the last brace", good.substr(0, good.size() - 1)},
      {"one of 100,000 keys twice", [] {
         std::string members;
         for (int i = 0; i < 100'000; ++i) members += "\"k" + std::to_string(i) + "\":0,";
         return GoodNewsWith(members + "\"k99999\":0");
       }()},
  };
}

}  // namespace gateway::test

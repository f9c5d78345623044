// JSON in answers. Every body is good news (a job taken, a render finished) but for a fault. Most
// programs overlook the faults of OddBodies(), and so must the gateway: what they spoil is not what
// is needed. The faults of HostileBodies() leave it open what was meant.
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

struct OddBody {
  std::string name;
  std::string json;
  std::string id = "x";
  bool failed = false;  // the state that counts is that of a failure
};

// What is wrong stands beside what is needed, or the last of two members is the one that counts.
// Each under 10 MB.
inline std::vector<OddBody> OddBodies() {
  const std::string good = GoodNewsWith("\"a\":1");
  const auto spoilt = [](const std::string& value) { return GoodNewsWith("\"a\":" + value); };
  return {
      {"a million nested arrays",
       spoilt(std::string(1'000'000, '[') + std::string(1'000'000, ']'))},
      {"a million nested objects",
       spoilt(Repeated("{\"a\":", 1'000'000) + "1" + std::string(1'000'000, '}'))},
      {"two ids", GoodNewsWith("\"jobId\":\"y\""), "y"},
      {"two states", GoodNewsWith("\"status\":\"failed\""), "x", true},
      {"two states, one escaped", GoodNewsWith("\"stat\\u0075s\":\"failed\""), "x", true},
      {"two successes", R"({"success":false,"success":true,)" + good.substr(1)},
      {"two values of data", R"({"data":{"status":"failed","jobId":"y"},)" + good.substr(1)},
      {"a number of 47 bytes that crashes some parsers",
       spoilt("128.74836467836484838364836483643636483648e-336")},
      {"a number of 100,000 digits", spoilt(std::string(100'000, '9'))},
      {"a fraction of 100,000 digits", spoilt("0." + std::string(100'000, '9'))},
      {"a number no double holds", spoilt("1e400")},
      {"an exponent no integer holds", spoilt("-1E+99999999999999999999")},
      {"NaN", spoilt("NaN")},
      {"Infinity", spoilt("[Infinity,-Infinity]")},
      {"a byte that is no UTF-8", spoilt("\"\xff\"")},
      {"UTF-8 longer than it need be", spoilt("\"\xc0\xaf\"")},
      {"UTF-8 cut", spoilt("\"\xe2\x82\"")},
      {"a raw surrogate", spoilt("\"\xed\xa0\x80\"")},
      {"a key that is no UTF-8", GoodNewsWith("\"\xff\":1")},
      {"a high surrogate alone", spoilt(R"("a\ud83c")")},
      {"a low surrogate alone", spoilt(R"("\udc00")")},
      {"a surrogate in a key", GoodNewsWith(R"("\udc00":1)")},
      {"a raw NUL in a string", spoilt(std::string("\"a\0b\"", 5))},
      {"a raw line break in a string", spoilt("\"a\nb\"")},
      {"a byte order mark", "\xef\xbb\xbf" + good},
      {"a key of a megabyte", GoodNewsWith('"' + std::string(1'000'000, 'k') + "\":1")},
      {"one of 100,000 keys twice",
       [] {
         std::string members;
         for (int i = 0; i < 100'000; ++i) members += "\"k" + std::to_string(i) + "\":0,";
         return GoodNewsWith(members + "\"k99999\":0");
       }()},
  };
}

// Each under 10 MB.
inline std::vector<HostileBody> HostileBodies() {
  const std::string good = GoodNewsWith("\"a\":1");
  const auto poisoned = [](const std::string& value) { return GoodNewsWith("\"a\":" + value); };
  return {
      {"a million arrays that never end", poisoned(std::string(1'000'000, '['))},
      {"a million arrays, one closed as an object",
       poisoned(std::string(1'000'000, '[') + "}" + std::string(999'999, ']'))},
      {"hexadecimal", poisoned("0x10")},
      {"not quite Infinity", poisoned("Infinit")},
      {"half an escape", poisoned(R"("\ud83")")},
      {"an escape that is none", poisoned(R"("\x41")")},
      {"a member without a value before its double", GoodNewsWith(R"("a":,"a":1)")},
      {"an empty member before its double", GoodNewsWith(R"("a","a":1)")},
      {"a byte that is no UTF-8 outside of strings", poisoned("\xff")},
      {"two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf" + good},
      {"text after the end", good + "x"},
      {"a second object after the end", good + good},
      {"a NUL and a second object after the end", good + std::string(1, '\0') + good},
      {"a comment", "/* */" + good},
      {"a comma too many", poisoned("[1,]")},
      {"single quotes", "{'success':true," + good.substr(1)},
      {"five million values", poisoned("[" + Repeated("0,", 4'500'000) + "0]")},
      {kLongString, poisoned('"' + std::string(5'000'000, 's') + '"')},
      {"cut in a key", good.substr(0, good.find("videoURL") + 3)},
      {"cut before the last brace", good.substr(0, good.size() - 1)},
      {"odd, and cut", poisoned(R"("\ud800")").substr(0, good.size() - 1)},
  };
}

}  // namespace gateway::test

#include "words.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cwchar>
#include <iterator>
#include <utility>
#include <vector>

#include "base/clean_text.h"
#include "submit_commands.h"

namespace pictory_jobs::cli {
namespace {

// The word in upper case, with `-` as `_`.
std::string Normal(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

// `word` as the proto spells it, with or without the enum's prefix.
template <class Enum, class Parse>
std::optional<Enum> ParseEnum(std::string_view word, const std::string& prefix, Parse parse) {
  std::string name = Normal(word);
  if (name.rfind(prefix, 0) != 0) name = prefix + name;
  Enum value;
  if (!parse(name, &value) || value == 0) return std::nullopt;
  return value;
}

std::string Format(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string Format(const char* format, long long a, long long b) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, a, b);
  return buffer;
}

constexpr int kBarColumns = 20;
constexpr wchar_t kAsEmoji = 0xFE0F;  // makes the character before it an emoji, and wide

// A Utf8Locale gives this thread the C library's tables for UTF-8, whatever the user's own locale
// is.
class Utf8Locale {
 public:
  Utf8Locale() : before_(uselocale(Utf8())) {}
  ~Utf8Locale() { uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t Utf8() {
    static const locale_t utf8 =
        newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
    return utf8;  // null, which changes nothing, if there is none
  }

  const locale_t before_;
};

struct Character {
  std::string_view bytes;
  int columns = 0;
};

// The characters of `text`, with what each adds to its width.
std::vector<Character> Characters(std::string_view text) {
  const Utf8Locale utf8;
  std::vector<Character> characters;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t wide = 0;
    std::size_t length = std::mbrtowc(&wide, text.data(), text.size(), &state);
    int columns = 0;
    if (length == 0 || length > text.size()) {  // NUL, or no UTF-8
      length = 1;
      columns = 1;
      state = {};
    } else if (wide == kAsEmoji) {
      columns = !characters.empty() && characters.back().columns == 1 ? 1 : 0;
    } else {
      columns = wcwidth(wide);
      if (columns < 0) columns = 2;  // newer than the tables, as new emoji are
    }
    characters.push_back({text.substr(0, length), columns});
    text.remove_prefix(length);
  }
  return characters;
}

}  // namespace

namespace {

// The rest of an enum's name, or its number where a newer gateway has one that is not known here.
std::string WordOf(const std::string& name, std::size_t prefix, int number) {
  return name.size() > prefix ? name.substr(prefix) : std::to_string(number);
}

}  // namespace

std::string StateWord(JobState state) {
  return WordOf(v1::JobState_Name(state), sizeof("JOB_STATE_") - 1, state);
}

std::string KindWord(JobKind kind) {
  if (kind == v1::JOB_KIND_UNSPECIFIED) return "job";
  std::string word = WordOf(v1::JobKind_Name(kind), sizeof("JOB_KIND_") - 1, kind);
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::optional<JobState> ParseState(std::string_view word) {
  return ParseEnum<JobState>(word, "JOB_STATE_", [](const auto& name, JobState* value) {
    return v1::JobState_Parse(name, value);
  });
}

std::optional<JobKind> ParseKind(std::string_view word) {
  for (const SubmitCommand& submit : SubmitCommands()) {
    if (Normal(submit.name) == Normal(word)) return submit.kind;
  }
  return ParseEnum<JobKind>(word, "JOB_KIND_", [](const auto& given, JobKind* value) {
    return v1::JobKind_Parse(given, value);
  });
}

std::string KindWords(std::string_view between) {
  std::string words;
  for (const SubmitCommand& submit : SubmitCommands()) {
    words.append(words.empty() ? "" : between).append(KindWord(submit.kind));
  }
  return words;
}

std::optional<ResultPart> ParsePart(std::string_view word) {
  std::string name = Normal(word);
  if (name == "RESULT" || name == "RENDER_PARAMS" || name == "TRANSCRIPT") name += "_JSON";
  return ParseEnum<ResultPart>(name, "RESULT_PART_", [](const auto& given, ResultPart* value) {
    return v1::ResultPart_Parse(given, value);
  });
}

std::string PartWord(ResultPart part) {
  constexpr std::string_view kPrefix = "RESULT_PART_";
  if (part == v1::RESULT_PART_RESULT_JSON) return "result-json";
  std::string word = v1::ResultPart_Name(part);
  if (word.rfind(kPrefix, 0) == 0) word.erase(0, kPrefix.size());
  if (const std::size_t json = word.rfind("_JSON"); json != word.npos) word.erase(json);
  for (char& c : word)
    c = c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double milliseconds = 0;
  if (unit.empty() || unit == "s") {
    milliseconds = number * 1e3;
  } else if (unit == "ms") {
    milliseconds = number;
  } else if (unit == "m" || unit == "min") {
    milliseconds = number * 60e3;
  } else if (unit == "h") {
    milliseconds = number * 3600e3;
  } else if (unit == "d") {
    milliseconds = number * 86400e3;
  }
  if (!(milliseconds >= 1 && milliseconds < 100.0 * 86400e3)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds));
}

std::optional<absl::Time> ParseSince(std::string_view text, absl::Time now, absl::TimeZone zone) {
  if (const auto ago = ParseDuration(text)) return now - absl::FromChrono(*ago);
  const std::string word(text);
  for (const char* const format :
       {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"}) {
    absl::Time time;
    if (absl::ParseTime(format, word, zone, &time, nullptr)) return time;
  }
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, word, &time, nullptr)) return time;
  return std::nullopt;
}

std::string Elapsed(std::chrono::seconds time) {
  const long long s = std::max<long long>(0, time.count());
  if (s < 60) return std::to_string(s) + "s";
  if (s < 3600) return Format("%lldm%02llds", s / 60, s % 60);
  if (s < 86400) return Format("%lldh%02lldm", s / 3600, s / 60 % 60);
  return Format("%lldd%02lldh", s / 86400, s / 3600 % 24);
}

std::string Number(double value) {
  std::array<char, 40> digits;
  char* const end = digits.data() + digits.size();
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e15);
  const auto written = plain ? std::to_chars(digits.data(), end, value, std::chars_format::fixed)
                             : std::to_chars(digits.data(), end, value);
  return {digits.data(), written.ptr};
}

double Summed(double sum) { return std::round(sum * 1e6) / 1e6; }

std::string Bytes(double bytes) {
  if (bytes < 1000) return Format("%.0f B", bytes);
  if (bytes < 1e6) return Format("%.1f kB", bytes / 1e3);
  if (bytes < 1e9) return Format("%.1f MB", bytes / 1e6);
  return Format("%.2f GB", bytes / 1e9);
}

std::string Bar(double part) {
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kBarColumns);
  return "[" + std::string(full, '#') + std::string(kBarColumns - full, '-') + "]";
}

std::string Percent(double percent) { return Format("%3.0f %%", std::floor(percent)); }

int Columns(std::string_view text) {
  int columns = 0;
  for (const Character& character : Characters(text)) columns += character.columns;
  return columns;
}

std::string Fit(std::string_view text, int columns) {
  if (columns <= 0) return "";
  if (Columns(text) <= columns) return std::string(text);
  std::string fitting;
  int used = 1;  // the ellipsis
  for (const Character& character : Characters(text)) {
    used += character.columns;
    if (used > columns) break;
    fitting.append(character.bytes);
  }
  return fitting + "…";
}

std::string FitEnd(std::string_view text, int columns) {
  const std::vector<Character> characters = Characters(text);
  std::size_t bytes = 0;
  int used = 0;
  for (auto at = characters.rbegin(); at != characters.rend(); ++at) {
    used += at->columns;
    if (used > columns) break;
    bytes += at->bytes.size();
  }
  return std::string(text.substr(text.size() - bytes));
}

std::string Pad(std::string_view text, int columns) {
  std::string out(text);
  const int missing = columns - Columns(text);
  if (missing > 0) out.append(static_cast<std::size_t>(missing), ' ');
  return out;
}

std::string OneLine(std::string_view text) { return gateway::CleanText(text); }

std::string InCommands(std::string_view text) {
  static const auto* const kWords = [] {
    const std::vector<std::pair<std::string_view, std::string_view>> commands = {
        {"GetJob", "get"},
        {"BatchGetJobs", "get"},
        {"ListJobs", "list"},
        {"WatchJob", "watch"},
        {"WatchJobs", "watch"},
        {"ReadJobResult", "result"},
        {"ReadArchivedFile", "result --download"},
        {"ResolveJob", "resolve"},
        {"DeleteJob", "delete"},
        {"CreateUpload", "upload"},
        {"GetUsage", "usage"},
        {"GetServerInfo", "doctor"},
        {"ListNotifications", "webhooks list"},
        {"ReplayNotification", "webhooks replay"},
        {"UpdatePreview", "update-preview"},
        {"ListProjects", "projects"},
        {"GetProject", "projects"},
        {"GetAccount", "account"},
        {"ListTemplates", "template list"},
        {"GetTemplate", "template get"},
        {"CreateTemplate", "template upload"},
        {"UpdateTemplate", "template update"},
        {"DeleteTemplate", "template delete"}};
    auto* const words = new std::vector<std::pair<std::string_view, std::string>>{
        {"allow_unknown_fields", "--allow-unknown-fields"},
        {"wait_for_preview", "--wait-for-preview"},
        {"wait_for_transcription", "--wait-for-transcription"}};
    const auto add = [words](std::string_view call, std::string_view command) {
      words->emplace_back(call, "`pictory " + std::string(command) + "`");
    };
    for (const auto& [call, command] : commands) add(call, command);
    for (const SubmitCommand& submit : SubmitCommands()) {
      if (Normal(submit.call) != Normal(submit.name)) add(submit.call, submit.name);
    }
    return words;
  }();
  const auto in_word = [&text](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                text[at] == '_' || text[at] == '/');
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto named = std::find_if(kWords->begin(), kWords->end(), [&](const auto& word) {
      return text.substr(at, word.first.size()) == word.first && !(at > 0 && in_word(at - 1)) &&
             !in_word(at + word.first.size());
    });
    if (named == kWords->end()) {
      out.push_back(text[at++]);
    } else {
      out.append(named->second);
      at += named->first.size();
    }
  }
  return out;
}

int EditDistance(std::string_view a, std::string_view b) {
  // `file_url` and `fileurl` are what people write for `fileUrl`.
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<int> earlier;  // the row before `before`
  std::vector<int> before(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) before[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<int> row = {static_cast<int>(i)};
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const int replaced = before[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      int least = std::min({replaced, before[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        least = std::min(least, earlier[j - 2] + 1);
      }
      row.push_back(least);
    }
    earlier = std::exchange(before, std::move(row));
  }
  return before[b.size()];
}

}  // namespace pictory_jobs::cli

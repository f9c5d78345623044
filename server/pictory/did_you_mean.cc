#include "pictory/did_you_mean.h"

#include <algorithm>

#include "base/limits.h"

namespace gateway::pictory {
namespace {

// Folds a word: `video_name`, `VideoName` and `video-name` become one.
std::string Folded(std::string_view word) {
  std::string folded;
  for (const char c : word) {
    if (c == '_' || c == '-' || c == ' ') continue;
    folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded;
}

// Counts insertions, deletions, replacements, and swaps of neighbours.
std::size_t Edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string ClosestWord(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > limits::kMistypedWordMaxBytes) return "";
  const std::string folded = Folded(word);
  std::string best;
  std::size_t best_edits =
      std::min(limits::kMistypedEditsMax, std::max<std::size_t>(1, folded.size() / 3)) + 1;
  for (const std::string& candidate : known) {
    const std::size_t edits = Edits(folded, Folded(candidate));
    if (edits < best_edits) {
      best_edits = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace gateway::pictory

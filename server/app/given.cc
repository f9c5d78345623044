#include "app/given.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "obs/log.h"

namespace gateway::app {

void LogGiven(const GivenSettings& given) {
  std::vector<std::string> values;  // before the fields, which point to them
  for (const GivenSetting& setting : given.settings) {
    values.push_back(absl::StrCat(setting.value, " (", setting.source, ")"));
  }
  const std::string ignored = absl::StrJoin(given.ignored, " ");
  std::vector<obs::Field> fields;
  for (std::size_t i = 0; i < values.size(); ++i) {
    fields.emplace_back(given.settings[i].name, values[i]);
  }
  if (!ignored.empty()) fields.emplace_back("ignored", ignored);
  obs::Log(obs::Level::kInfo, "settings", std::span<const obs::Field>(fields));
}

}  // namespace gateway::app

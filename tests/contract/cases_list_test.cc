// cases.md and the tests must tell the same: every case is in the list, and either has its tests in
// this program or says what it waits for.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace gateway::test {
namespace {

constexpr int kCases = 58;

// The case a row of the table is about; 0 if the line is no such row.
int CaseOf(const std::string& line) {
  if (line.rfind("| ", 0) != 0) return 0;
  return std::atoi(line.c_str() + 2);
}

std::map<int, std::string> Rows() {
  std::map<int, std::string> rows;
  std::ifstream file(PICTORY_CASES);
  EXPECT_TRUE(file.is_open());
  for (std::string line; std::getline(file, line);) {
    const int number = CaseOf(line);
    if (number == 0) continue;
    EXPECT_TRUE(rows.emplace(number, line).second) << "listed twice: " << number;
  }
  return rows;
}

// Number of the case to the names of its tests.
std::map<int, std::set<std::string>> Tests() {
  std::map<int, std::set<std::string>> tests;
  const auto* program = ::testing::UnitTest::GetInstance();
  for (int s = 0; s < program->total_test_suite_count(); ++s) {
    const auto* suite = program->GetTestSuite(s);
    for (int t = 0; t < suite->total_test_count(); ++t) {
      const std::string name = suite->GetTestInfo(t)->name();
      if (name.rfind("Case", 0) == 0) tests[std::atoi(name.c_str() + 4)].insert(name);
    }
  }
  return tests;
}

TEST(CasesList, EveryCaseIsListedAndHasItsTestsOrSaysWhatItWaitsFor) {
  const auto rows = Rows();
  const auto tests = Tests();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kCases));
  for (int number = 1; number <= kCases; ++number) {
    const auto row = rows.find(number);
    ASSERT_NE(row, rows.end()) << "not listed: " << number;
    const std::string& line = row->second;
    const bool waits = line.find("| waits:") != std::string::npos;
    const auto found = tests.find(number);
    EXPECT_NE(found == tests.end(), !waits)
        << number << (waits ? " says it waits, and has a test" : " has no test");
    if (found == tests.end()) continue;
    for (const std::string& name : found->second) {
      EXPECT_NE(line.find("`" + name + "`"), std::string::npos) << "not in its row: " << name;
    }
  }
  for (const auto& [number, names] : tests)
    EXPECT_TRUE(number >= 1 && number <= kCases) << *names.begin();
}

}  // namespace
}  // namespace gateway::test

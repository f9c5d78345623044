#include "base/json_numbers.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

TEST(JsonNumbers, OnlyWhatNoDoubleHoldsIsReplacedAndAllElseStaysInItsPlace) {
  EXPECT_EQ(WithNumbersWithinDouble(R"({"a":1e400,"b":-1e309})"), R"({"a":1e308,"b":-1e308})");
  EXPECT_EQ(WithNumbersWithinDouble("[100e307, 1e0400]"), "[1e308  , 1e308 ]");
  const std::string digits(400, '7');
  EXPECT_EQ(WithNumbersWithinDouble("[" + digits + "]"), "[1e308" + std::string(395, ' ') + "]");
  for (const std::string& same :
       {std::string(R"({"a":[0,-0.5,1.5e300,1e-400],"s":"1e400\"1e400"})"), std::string(""),
        std::string("-"), std::string("[01e400,1.e400,1e+,.5]"), std::string("\"1e400"),
        std::string("\"\\")}) {
    EXPECT_EQ(WithNumbersWithinDouble(same), same);
  }
}

TEST(JsonNumbers, ManyDigitsOfASmallNumberAreThatNumber) {
  const std::string number = "0." + std::string(400, '3');
  const std::string text = WithNumbersWithinDouble("[" + number + "]");
  EXPECT_EQ(text.size(), number.size() + 2);
  EXPECT_EQ(text.substr(0, 20), "[0.33333333333333331");
}

}  // namespace
}  // namespace gateway

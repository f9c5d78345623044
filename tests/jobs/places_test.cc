#include "jobs/places.h"

#include <gtest/gtest.h>

#include <vector>

namespace gateway::jobs {
namespace {

class PlacesTest : public testing::Test {
 protected:
  // Takes as many as there are for this holder, and says how many.
  int TakeAll(const Places::Holder& holder) {
    int taken = 0;
    while (Places::Place place = places_->TryTake(holder)) {
      held_.push_back(std::move(place));
      ++taken;
    }
    EXPECT_FALSE(places_->HasFor(holder));
    return taken;
  }

  const std::shared_ptr<Places> places_ = std::make_shared<Places>(16);
  std::vector<Places::Place> held_;
};

TEST_F(PlacesTest, NobodyHasMoreThanAreLeftFree) {
  EXPECT_EQ(TakeAll({"east", "acme"}), 8);
  EXPECT_EQ(TakeAll({"east", "beta"}), 4) << "another tenant of the account";
  EXPECT_EQ(TakeAll({"west", "acme"}), 2) << "another account of the tenant";
  EXPECT_EQ(TakeAll({"west", "beta"}), 1);
  EXPECT_EQ(TakeAll({"west", "gamma"}), 1);
  EXPECT_EQ(TakeAll({"west", "delta"}), 0) << "all are taken";
  held_.pop_back();
  EXPECT_FALSE(places_->HasFor({"east", "acme"}));
  EXPECT_EQ(TakeAll({"west", "delta"}), 1);
}

TEST_F(PlacesTest, APlaceIsGivenBackWhenItsLastCopyGoes) {
  Places::Place place = places_->TryTake({"east", "acme"});
  const Places::Place copy = place;
  EXPECT_EQ(TakeAll({"east", "acme"}), 7);
  place = nullptr;
  EXPECT_FALSE(places_->HasFor({"east", "acme"}));
  held_.clear();
  EXPECT_EQ(TakeAll({"east", "acme"}), 7);
}

TEST_F(PlacesTest, WhoWaitsIsToldOfEachPlaceThatIsGivenBack) {
  int told = 0;
  TakeAll({"east", "acme"});
  places_->Tell(this, [&told] { ++told; });
  held_.pop_back();
  held_.pop_back();
  EXPECT_EQ(told, 2);
  places_->Forget(this);
  held_.clear();
  EXPECT_EQ(told, 2);
}

TEST(PlaceTest, OutlivesItsPlaces) {
  auto places = std::make_shared<Places>(2);
  const Places::Place place = places->TryTake({"east", "acme"});
  const std::weak_ptr<Places> still = std::exchange(places, nullptr);
  EXPECT_FALSE(still.expired());
}

}  // namespace
}  // namespace gateway::jobs

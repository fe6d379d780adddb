#include "runtime/net/component.h"

#include <gtest/gtest.h>

namespace roam::runtime {
namespace {

class Part final : public Component {
 public:
  explicit Part(bool polls) : Component(/*heeds_idle=*/false, polls) {}
  using Component::set_due;
};

TEST(Component, IsPolledOnlyWhileItIsDue) {
  Part part(true);
  EXPECT_TRUE(part.polls());
  EXPECT_FALSE(part.due());
  part.set_due(true);
  EXPECT_TRUE(part.due());
  part.set_due(false);
  EXPECT_FALSE(part.due());
}

TEST(ComponentDeathTest, OneThatDoesNotPollIsNeverDue) {
  Part part(false);
  EXPECT_FALSE(part.polls());
  part.set_due(false);
  EXPECT_DEATH(part.set_due(true), "said that it does not poll");
}

}  // namespace
}  // namespace roam::runtime

#include "demos/pic/kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace {

TEST(Kernel, EveryParticleIsWhereTheClosedFormSays) {
  constexpr int kCells = 20;
  for (const auto& [k, m] : {std::pair{0, 0}, {0, 1}, {1, 2}, {4, 19}, {9, 7}}) {
    std::vector<Particle> particles;
    for (int x = 0; x < kCells; ++x)
      for (int y = 0; y < kCells; ++y) particles.push_back(at_centre(x, y, k, m));
    for (long moves = 0; moves <= 1000; ++moves) {
      for (const Particle& p : particles) {
        ASSERT_TRUE(is_in_place(p, moves, k, m, kCells))
            << "k " << k << ", m " << m << ", born in " << p.birth_x << " " << p.birth_y
            << ", after " << moves << " moves at " << p.x << " " << p.y;
      }
      push(particles, kCells);
    }
  }
}

// The force, corner by corner as the definition has it, also away from the centre.
TEST(Kernel, TheForceIsTheCoulombSumOfTheFourCorners) {
  constexpr int kCells = 8;
  for (const double x : {0.25, 1.5, 2.9, 5.125}) {
    for (const double y : {0.75, 3.5, 6.0625}) {
      const double q = -1.75;
      double ax = 0;
      double ay = 0;
      for (const double cx : {std::floor(x), std::floor(x) + 1}) {
        for (const double cy : {std::floor(y), std::floor(y) + 1}) {
          const double corner = static_cast<int>(cx) % 2 == 0 ? 1 : -1;
          const double r = std::hypot(x - cx, y - cy);
          ax += q * corner / (r * r) * (x - cx) / r;
          ay += q * corner / (r * r) * (y - cy) / r;
        }
      }
      std::vector<Particle> one{
          {.x = x, .y = y, .vx = 0.5, .vy = -0.5, .charge = q, .birth_x = 0, .birth_y = 0}};
      push(one, kCells);
      EXPECT_NEAR(one[0].vx, 0.5 + ax, 1e-9);
      EXPECT_NEAR(one[0].vy, -0.5 + ay, 1e-9);
      EXPECT_NEAR(std::remainder(one[0].x - (x + 0.5 + ax / 2), kCells), 0, 1e-9);
      EXPECT_NEAR(std::remainder(one[0].y - (y - 0.5 + ay / 2), kCells), 0, 1e-9);
    }
  }
}

TEST(Kernel, AChecksumIsOfEveryBit) {
  const Particle particle = at_centre(3, 4, 1, 2);
  EXPECT_EQ(checksum(particle), checksum(at_centre(3, 4, 1, 2)));
  for (double Particle::*const member :
       {&Particle::x, &Particle::y, &Particle::vx, &Particle::vy, &Particle::charge}) {
    Particle other = particle;
    other.*member = std::nextafter(other.*member, 100);
    EXPECT_NE(checksum(other), checksum(particle));
  }
  Particle other = particle;
  std::swap(other.birth_x, other.birth_y);
  EXPECT_NE(checksum(other), checksum(particle));
}

TEST(Kernel, AMisplacedParticleIsFound) {
  Particle particle = at_centre(3, 4, 0, 0);
  EXPECT_TRUE(is_in_place(particle, 0, 0, 0, 10));
  particle.x += 2e-6;
  EXPECT_FALSE(is_in_place(particle, 0, 0, 0, 10));
  EXPECT_FALSE(is_in_place(at_centre(3, 4, 0, 0), 1, 0, 0, 10));
}

}  // namespace
